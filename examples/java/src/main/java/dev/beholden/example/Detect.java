package dev.beholden.example;

import beholden.v1.Detection.DetectFacesRequest;
import beholden.v1.DetectionServiceGrpc;
import beholden.v1.Embedding.CompareFacesRequest;
import beholden.v1.EmbeddingServiceGrpc;
import beholden.v1.ImageOuterClass.Image;
import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Finds the faces in a picture and compares them with each other, and shows what the law says.
 *
 * <p>BEHOLDEN_SERVER is host:port, BEHOLDEN_TOKEN says who asks, BEHOLDEN_PURPOSE what for.
 */
public final class Detect {
  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 1) {
      System.err.println("usage: mvn -q compile exec:java -Dexec.args=PICTURE");
      System.exit(2);
    }
    String address = System.getenv().getOrDefault("BEHOLDEN_SERVER", "127.0.0.1:50051");
    // Over a network: TlsChannelCredentials instead.
    ManagedChannel connection =
        Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    try {
      run(connection, Path.of(arguments[0]));
    } catch (StatusRuntimeException error) {
      tell(error);
    } finally {
      connection.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  private static void run(Channel connection, Path file) throws Exception {
    Image picture =
        Image.newBuilder().setContent(ByteString.copyFrom(Files.readAllBytes(file))).build();
    Metadata declared = new Metadata();
    declared.put(key("authorization"), "Bearer " + System.getenv("BEHOLDEN_TOKEN"));
    declared.put(key("beholden-purpose"), System.getenv().getOrDefault("BEHOLDEN_PURPOSE", ""));
    AtomicReference<Metadata> trailers = new AtomicReference<>();
    Channel channel =
        ClientInterceptors.intercept(
            connection,
            MetadataUtils.newAttachHeadersInterceptor(declared),
            MetadataUtils.newCaptureMetadataInterceptor(new AtomicReference<>(), trailers));

    var found =
        DetectionServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(30, TimeUnit.SECONDS)
            .detectFaces(DetectFacesRequest.newBuilder().setImage(picture).build());
    for (var face : found.getFacesList()) {
      var box = face.getBoundingBox();
      System.out.printf(
          "face %.2f at %.3f %.3f %.3f %.3f%n",
          face.getConfidence(), box.getXMin(), box.getYMin(), box.getXMax(), box.getYMax());
    }
    System.out.println("decision " + trailers.get().get(key("beholden-decision-id")));

    var compared =
        EmbeddingServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(30, TimeUnit.SECONDS)
            .compareFaces(
                CompareFacesRequest.newBuilder().setSource(picture).setTarget(picture).build());
    for (var match : compared.getMatchesList()) {
      System.out.printf("similarity %.2f%n", match.getSimilarity());
    }
  }

  /** Prints a refusal with its law; throws any other error. */
  private static void tell(StatusRuntimeException error) throws Exception {
    if (error.getStatus().getCode() != io.grpc.Status.Code.PERMISSION_DENIED) {
      throw error;
    }
    System.out.println("refused: " + error.getStatus().getDescription());
    for (var detail : StatusProto.fromThrowable(error).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        var said = detail.unpack(ErrorInfo.class).getMetadataMap();
        for (String name : List.of("law", "since", "until", "lifted_by", "decision_id")) {
          if (said.containsKey(name)) {
            System.out.println("  " + name + " " + said.get(name));
          }
        }
      }
    }
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  private Detect() {}
}
