// Detect finds the faces in a picture and compares them with each other, and shows what the law says.
//
//	go run . picture.jpg
//
// BEHOLDEN_SERVER is host:port, BEHOLDEN_TOKEN says who asks, BEHOLDEN_PURPOSE what for.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "beholden.dev/examples/gen/beholden/v1"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run . PICTURE")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	picture := &pb.Image{Source: &pb.Image_Content{Content: content}}

	address := os.Getenv("BEHOLDEN_SERVER")
	if address == "" {
		address = "127.0.0.1:50051"
	}
	// Over a network: credentials.NewTLS(...) instead.
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx,
		"authorization", "Bearer "+os.Getenv("BEHOLDEN_TOKEN"),
		"beholden-purpose", os.Getenv("BEHOLDEN_PURPOSE"))

	var trailer metadata.MD
	found, err := pb.NewDetectionServiceClient(connection).DetectFaces(ctx,
		&pb.DetectFacesRequest{Image: picture}, grpc.Trailer(&trailer))
	if err != nil {
		return told(err)
	}
	for _, face := range found.Faces {
		box := face.BoundingBox
		fmt.Printf("face %.2f at %.3f %.3f %.3f %.3f\n", face.Confidence, box.XMin, box.YMin, box.XMax, box.YMax)
	}
	fmt.Println("decision", trailer.Get("beholden-decision-id")[0])

	compared, err := pb.NewEmbeddingServiceClient(connection).CompareFaces(ctx,
		&pb.CompareFacesRequest{Source: picture, Target: picture})
	if err != nil {
		return told(err)
	}
	for _, match := range compared.Matches {
		fmt.Printf("similarity %.2f\n", match.Similarity)
	}
	return nil
}

// told prints a refusal with its law and returns nil; any other error it returns.
func told(err error) error {
	failed := status.Convert(err)
	if failed.Code() != codes.PermissionDenied {
		return err
	}
	fmt.Println("refused:", failed.Message())
	for _, detail := range failed.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			for _, name := range []string{"law", "since", "until", "lifted_by", "decision_id"} {
				if said := info.Metadata[name]; said != "" {
					fmt.Println(" ", name, said)
				}
			}
		}
	}
	return nil
}
