"""The InferenceEngine port's adapters: ONNX Runtime in process, Triton over gRPC."""
