// nsfwjs itself, on TensorFlow.js: node unsafe.mjs FOLDER WIDTHxHEIGHT...
// FOLDER holds 0.rgb, 1.rgb, ... of these sizes, uint8, and the packages.
import fs from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import * as nsfwjs from "nsfwjs";

const [folder, ...sizes] = process.argv.slice(2);
await tf.setBackend("wasm");
const model = await nsfwjs.load("MobileNetV2");
const told = [];
for (const [place, size] of sizes.entries()) {
  const [width, height] = size.split("x").map(Number);
  const pixels = new Uint8Array(fs.readFileSync(path.join(folder, `${place}.rgb`)));
  const picture = tf.tensor3d(pixels, [height, width, 3], "int32");
  const classes = await model.classify(picture, 5);
  told.push(Object.fromEntries(classes.map((one) => [one.className, one.probability])));
  picture.dispose();
}
console.log(JSON.stringify(told));
