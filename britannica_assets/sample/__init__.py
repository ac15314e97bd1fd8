"""The bundled encyclopaedia, written for this project: its grammar, its little wiki, its minimal pairs."""
