// A minimal bridge on mautrix for Go. Arguments: PORT SINK CONNECTIONS.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"

	"maunium.net/go/mautrix/appservice"
	"maunium.net/go/mautrix/event"
)

type forwarder struct {
	sink   string
	client *http.Client
	places chan struct{}
	lock   sync.Mutex
	rooms  map[string][]string // texts that wait, in the hands of one goroutine
}

func (f *forwarder) post(room, text string) {
	body, _ := json.Marshal(map[string]string{"text": text})
	for {
		f.places <- struct{}{}
		answer, err := f.client.Post(f.sink+"/rooms/"+url.PathEscape(room)+"/chatMessages",
			"application/json", bytes.NewReader(body))
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		<-f.places
		if err == nil {
			return
		}
	}
}

func (f *forwarder) drain(room string) {
	for {
		f.lock.Lock()
		queue := f.rooms[room]
		if len(queue) == 0 {
			delete(f.rooms, room)
			f.lock.Unlock()
			return
		}
		f.rooms[room] = queue[1:]
		f.lock.Unlock()
		f.post(room, queue[0])
	}
}

func (f *forwarder) forward(room, text string) {
	f.lock.Lock()
	defer f.lock.Unlock()
	queue, isBusy := f.rooms[room]
	f.rooms[room] = append(queue, text)
	if !isBusy {
		go f.drain(room)
	}
}

func main() {
	port, _ := strconv.ParseUint(os.Args[1], 10, 16)
	connections, _ := strconv.Atoi(os.Args[3])
	f := &forwarder{
		sink: os.Args[2],
		client: &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}},
		places: make(chan struct{}, connections),
		rooms:  map[string][]string{},
	}
	bridge, err := appservice.CreateFull(appservice.CreateOpts{
		Registration: &appservice.Registration{
			ID: "bench", AppToken: "as_token_of_the_benchmark",
			ServerToken: "hs_token_of_the_benchmark", SenderLocalpart: "gitter"},
		HomeserverDomain: "bench.test",
		HomeserverURL:    os.Args[2],
		HostConfig:       appservice.HostConfig{Hostname: "127.0.0.1", Port: uint16(port)},
	})
	if err != nil {
		panic(err)
	}
	processor := appservice.NewEventProcessor(bridge)
	processor.ExecMode = appservice.Sync // in order; the handler only queues
	processor.On(event.EventMessage, func(_ context.Context, evt *event.Event) {
		f.forward(evt.RoomID.String(), evt.Content.AsMessage().Body)
	})
	go processor.Start(context.Background())
	bridge.Start()
}
