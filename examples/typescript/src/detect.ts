// Finds the faces in a picture and compares them with each other, and shows what the law says.
//
//   npm start picture.jpg
//
// BEHOLDEN_SERVER is host:port, BEHOLDEN_TOKEN says who asks, BEHOLDEN_PURPOSE what for.

import { readFile } from "node:fs/promises";

import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { DetectionService } from "./gen/beholden/v1/detection_pb.js";
import { EmbeddingService } from "./gen/beholden/v1/embedding_pb.js";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";

const declared: Interceptor = (next) => (request) => {
  request.header.set("authorization", `Bearer ${process.env.BEHOLDEN_TOKEN}`);
  request.header.set("beholden-purpose", process.env.BEHOLDEN_PURPOSE ?? "");
  return next(request);
};

async function main(file: string): Promise<void> {
  const image = { source: { case: "content" as const, value: await readFile(file) } };
  const transport = createGrpcTransport({
    // Over a network: https://, and the certificates in nodeOptions.
    baseUrl: `http://${process.env.BEHOLDEN_SERVER ?? "127.0.0.1:50051"}`,
    interceptors: [declared],
    defaultTimeoutMs: 30_000,
  });

  let decision: string | null = null;
  const found = await createClient(DetectionService, transport).detectFaces(
    { image },
    { onTrailer: (trailer) => (decision = trailer.get("beholden-decision-id")) },
  );
  for (const { confidence, boundingBox: box } of found.faces) {
    const place = [box?.xMin, box?.yMin, box?.xMax, box?.yMax].map((side) => side?.toFixed(3));
    console.log(`face ${confidence.toFixed(2)} at ${place.join(" ")}`);
  }
  console.log("decision", decision);

  const compared = await createClient(EmbeddingService, transport).compareFaces({
    source: image,
    target: image,
  });
  for (const { similarity } of compared.matches) {
    console.log(`similarity ${similarity.toFixed(2)}`);
  }
}

/** Prints a refusal with its law; throws any other error. */
function tell(error: unknown): void {
  const failed = ConnectError.from(error);
  if (failed.code !== Code.PermissionDenied) {
    throw error;
  }
  console.log("refused:", failed.rawMessage);
  for (const { metadata } of failed.findDetails(ErrorInfoSchema)) {
    for (const name of ["law", "since", "until", "lifted_by", "decision_id"]) {
      if (metadata[name]) {
        console.log(" ", name, metadata[name]);
      }
    }
  }
}

const [file] = process.argv.slice(2);
if (!file) {
  console.error("usage: npm start PICTURE");
  process.exit(2);
}
await main(file).catch(tell);
