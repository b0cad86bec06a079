// Rtsp serves a raw H.264 file again and again, at 10 frames a second, as a camera would.
//
//	rtsp 127.0.0.1:8554 street.h264   // rtsp://127.0.0.1:8554/camera
package main

import (
	"bytes"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
)

const (
	rate  = 10
	clock = 90000
)

type handler struct{ stream *gortsplib.ServerStream }

func (h *handler) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, h.stream, nil
}

func (h *handler) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, h.stream, nil
}

func (h *handler) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func main() {
	content, err := os.ReadFile(os.Args[2])
	check(err)
	listener, err := net.Listen("tcp", os.Args[1])
	check(err)
	handler := &handler{}
	server := &gortsplib.Server{
		Handler:     handler,
		RTSPAddress: listener.Addr().String(),
		Listen:      func(string, string) (net.Listener, error) { return listener, nil },
	}
	check(server.Start())
	coding := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{coding}}
	stream := &gortsplib.ServerStream{Server: server, Desc: &description.Session{Medias: []*description.Media{media}}}
	check(stream.Initialize())
	handler.stream = stream
	encoder, err := coding.CreateEncoder()
	check(err)
	fmt.Println(listener.Addr())
	frames := accessUnits(content)
	for number := uint32(0); ; number++ {
		packets, err := encoder.Encode(frames[int(number)%len(frames)])
		check(err)
		for _, packet := range packets {
			packet.Timestamp = number * clock / rate
			check(stream.WritePacketRTP(media, packet))
		}
		time.Sleep(time.Second / rate)
	}
}

// accessUnits cuts an Annex B stream before each slice: with it go the parameters that precede it.
func accessUnits(content []byte) [][][]byte {
	var units [][][]byte
	var unit [][]byte
	for _, nal := range bytes.Split(content, []byte{0, 0, 1}) {
		nal = bytes.TrimRight(nal, "\x00")
		if len(nal) == 0 {
			continue
		}
		unit = append(unit, nal)
		if kind := nal[0] & 31; kind == 1 || kind == 5 {
			units = append(units, unit)
			unit = nil
		}
	}
	return units
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
