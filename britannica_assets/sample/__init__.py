"""The bundled encyclopaedia, written for this project: its grammar, its wiki, its minimal pairs."""
