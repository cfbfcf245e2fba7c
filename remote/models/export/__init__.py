"""From what a training left behind to a bundle that is proved to do the same. Only files named torch_* and sb3_* need more
than onnx.
"""
