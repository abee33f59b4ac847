<?php
// Builds addresses and pages as twilio-php 8.12 does (Http/CurlClient.php, Base/BaseClient.php, Page.php), and asks by curl.

namespace Twilio\Http;

class Response {
    public $content;

    public function __construct(int $status, string $content) {
        if ($status >= 400) {
            throw new \Exception("$status $content");
        }
        $this->content = json_decode($content, true);
    }
}

class CurlClient {
    public function request(string $method, string $url,
                            array $params = [], array $data = [], array $headers = [],
                            ?string $user = null, ?string $password = null,
                            ?int $timeout = null, $authStrategy = null): Response {
        $curl = curl_init();
        curl_setopt_array($curl, $this->options($method, $url, $params, $data, $headers, $user, $password, $timeout));
        $body = curl_exec($curl);
        if ($body === false) {
            throw new \Exception(curl_error($curl));
        }
        return new Response(curl_getinfo($curl, CURLINFO_HTTP_CODE), $body);
    }

    public function options(string $method, string $url,
                            array $params = [], array $data = [], array $headers = [],
                            ?string $user = null, ?string $password = null,
                            ?int $timeout = null, $authStrategy = null): array {
        $options = [
            CURLOPT_URL => $url . ($params ? '?' . http_build_query($params) : ''),
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_HTTPHEADER => ['Authorization: Basic ' . base64_encode("$user:$password")],
        ];
        if ($method === 'POST') {
            $options += [CURLOPT_POST => true, CURLOPT_POSTFIELDS => http_build_query($data)];
        }
        return $options;
    }
}

namespace Twilio\Rest;

class Client {
    private $credentials;
    private $region;
    private $edge;
    private $httpClient;

    public function __construct(string $username, string $password, ?string $accountSid = null, ?string $region = null, $httpClient = null) {
        $this->credentials = [$username, $password];
        $this->region = $region;
        $this->edge = getenv('TWILIO_EDGE') ?: null;
        $this->httpClient = $httpClient ?: new \Twilio\Http\CurlClient();
    }

    public function request(string $method, string $uri, array $params = [], array $data = []): array {
        return $this->httpClient->request($method, $this->buildUri($uri), $params, $data, [], ...$this->credentials)->content;
    }

    private function buildUri(string $uri): string {
        if ($this->region == null && $this->edge == null) {
            return $uri;
        }
        $parsed = parse_url($uri);
        $pieces = explode('.', $parsed['host']);
        $host = implode('.', array_filter([$pieces[0], $this->edge, $this->region ?: 'us1', ...array_slice($pieces, -2)]));
        return $parsed['scheme'] . '://' . $host . $parsed['path'] . (isset($parsed['query']) ? '?' . $parsed['query'] : '');
    }
}

function talk(Client $client, string $messages): void {
    foreach (['Hello', 'Bye'] as $body) {
        $client->request('POST', "https://chat.twilio.com$messages", [], ['Body' => $body]);
    }
    $said = [];
    $page = $client->request('GET', "https://chat.twilio.com$messages", ['PageSize' => 1]);
    while (true) {
        $said = array_merge($said, array_column($page['messages'], 'body'));
        if (!$page['meta']['next_page_url']) {
            break;
        }
        $page = $client->request('GET', $page['meta']['next_page_url']);
    }
    echo implode(' ', $said), "\n";
}
