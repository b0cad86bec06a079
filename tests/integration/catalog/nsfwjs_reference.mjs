// What TensorFlow.js itself answers: node nsfwjs_reference.mjs FOLDER PICTURES
// FOLDER holds model.json and its shards, PICTURES uint8 224 x 224 RGB one after the other.
import fs from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm"; // its kernels are a tenth of the time of those in JavaScript
import { loadLayersModel } from "@tensorflow/tfjs-layers";

const [folder, pictures] = process.argv.slice(2);
await tf.setBackend("wasm");
const { modelTopology, weightsManifest } = JSON.parse(fs.readFileSync(path.join(folder, "model.json")));
const shards = weightsManifest.flatMap((group) => group.paths);
const weights = Buffer.concat(shards.map((shard) => fs.readFileSync(path.join(folder, shard))));
const model = await loadLayersModel({
  load: async () => ({
    modelTopology,
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength),
  }),
});
const values = Float32Array.from(fs.readFileSync(pictures), (value) => value / 255);
const input = tf.tensor4d(values, [values.length / (224 * 224 * 3), 224, 224, 3]);
console.log(JSON.stringify(await model.predict(input).array()));
