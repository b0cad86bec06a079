"""Upstream formats to ONNX in pure Python, deterministic: the same files give the same bytes.

converters    the converters by name, and what every result must satisfy
graph         an ONNX graph under construction
centerface    CenterFace's own ONNX file
dlib_format   dlib's serialised face network, as layers        dlib_graph    those layers as ONNX
tfjs_model    a TensorFlow.js model: topology and weights       tfjs_layers   a layers model as ONNX
nsfwjs        the nsfwjs models                                 javascript    data wrapped in JavaScript
tfjs_graph    a TensorFlow.js graph model as ONNX: its nodes (tfjs_graph_builder) and what each becomes
              (tfjs_graph_operators)                            human         those of @vladmandic/human
pp_ocr        PP-OCR's recogniser, its answers as characters
published     published ONNX models behind a picture       squeezenet    features out of one
"""
