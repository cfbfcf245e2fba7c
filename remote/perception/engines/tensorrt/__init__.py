"""TensorRT 8.5 to 11, told apart by what it has, never by its version: only a worker or a build process loads it."""
