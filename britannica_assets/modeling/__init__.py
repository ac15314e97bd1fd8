"""Two large teachers, their targets, and the students: architectures, loss, training, registry."""
