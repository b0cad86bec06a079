// What TensorFlow.js itself answers: node tfjs_graph_reference.mjs MODEL WEIGHTS VALUES SHAPE OUTPUTS
// MODEL is a graph model's JSON, WEIGHTS its one weight file, VALUES little-endian float32 of the
// SHAPE (comma-separated), OUTPUTS the names of the nodes that are asked (comma-separated).
import fs from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm"; // its kernels are a tenth of the time of those in JavaScript
import { loadGraphModel } from "@tensorflow/tfjs-converter";

const [topology, weights, values, shape, outputs] = process.argv.slice(2);
await tf.setBackend("wasm");
const bytes = (path) => {
  const read = fs.readFileSync(path);
  return read.buffer.slice(read.byteOffset, read.byteOffset + read.byteLength);
};
const { modelTopology, weightsManifest, signature } = JSON.parse(fs.readFileSync(topology));
const model = await loadGraphModel({
  load: async () => ({
    modelTopology,
    signature,
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weightData: bytes(weights),
  }),
});
const given = tf.tensor(new Float32Array(bytes(values)), shape.split(",").map(Number));
const input = tf.cast(given, model.inputs[0].dtype);
const answers = [model.execute(input, outputs.split(","))].flat();
console.log(JSON.stringify(answers.map((answer) => ({ shape: answer.shape, values: [...answer.dataSync()] }))));
