// Package client asks as twilio-go's does.
package client

import (
	"net/http"
	"net/url"
	"strings"
)

type Credentials struct {
	Username string
	Password string
}

func NewCredentials(username string, password string) *Credentials {
	return &Credentials{Username: username, Password: password}
}

type Client struct {
	*Credentials
	HTTPClient *http.Client
	accountSid string
}

func (client *Client) SetAccountSid(sid string) {
	client.accountSid = sid
}

func (client *Client) SendRequest(method string, rawURL string, data url.Values) (*http.Response, error) {
	request, err := http.NewRequest(method, rawURL, strings.NewReader(data.Encode()))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth(client.Username, client.Password)
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return client.HTTPClient.Do(request)
}
