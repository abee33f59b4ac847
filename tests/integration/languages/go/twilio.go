// Package twilio builds addresses and pages as twilio-go 1.30 does (client/client.go, request_handler.go, page_util.go).
package twilio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"example.test/twilio/client"
)

type ClientParams struct {
	Client *client.Client
}

type RestClient struct {
	client *client.Client
	edge   string
}

func NewRestClientWithParams(params ClientParams) *RestClient {
	return &RestClient{client: params.Client, edge: os.Getenv("TWILIO_EDGE")}
}

type page struct {
	Messages []struct{ Body string }
	Meta     struct {
		NextPageURL string `json:"next_page_url"`
	}
}

// Talk creates messages, and prints what a list of them shows, page by page.
func (rest *RestClient) Talk(messages string) {
	for _, body := range []string{"Hello", "Bye"} {
		rest.request(http.MethodPost, "https://chat.twilio.com"+messages, url.Values{"Body": {body}}, nil)
	}
	said := []string{}
	for next := "https://chat.twilio.com" + messages + "?PageSize=1"; next != ""; {
		var got page
		rest.request(http.MethodGet, next, nil, &got)
		for _, one := range got.Messages {
			said = append(said, one.Body)
		}
		next = got.Meta.NextPageURL
	}
	fmt.Println(strings.Join(said, " "))
}

func (rest *RestClient) request(method, rawURL string, data url.Values, got interface{}) {
	answer, err := rest.client.SendRequest(method, rest.buildURL(rawURL), data)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		panic(answer.Status)
	}
	if got != nil {
		if err := json.NewDecoder(answer.Body).Decode(got); err != nil {
			panic(err)
		}
	}
}

func (rest *RestClient) buildURL(rawURL string) string {
	parsed, err := url.Parse(rawURL)
	if err != nil {
		panic(err)
	}
	pieces := strings.Split(parsed.Host, ".")
	if rest.edge == "" || len(pieces) < 3 {
		return rawURL
	}
	parsed.Host = strings.Join(append([]string{pieces[0], rest.edge, "us1"}, pieces[len(pieces)-2:]...), ".")
	return parsed.String()
}
