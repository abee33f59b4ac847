// Asks as twilio-java 12 does (http/NetworkHttpClient.java), whose next pages are at the addresses that answers name.

class NetworkHttpClient {
    private final CloseableHttpClient client;

    NetworkHttpClient(HttpClientBuilder builder) {
        client = builder.build();
    }

    String request(HttpUriRequestBase asked, String user, String body) throws Exception {
        asked.addHeader("Authorization", "Basic " + Base64.getEncoder().encodeToString(user.getBytes()));
        if (body != null)
            asked.setEntity(new StringEntity(body, ContentType.APPLICATION_FORM_URLENCODED));
        try (CloseableHttpResponse answer = client.execute(asked)) {
            if (answer.getCode() >= 400)
                throw new IllegalStateException(answer.toString());
            return EntityUtils.toString(answer.getEntity());
        }
    }
}

class TwilioRestClient {
    private final String user;
    private final NetworkHttpClient http;
    private final String host;

    private TwilioRestClient(Builder builder) {
        user = builder.user;
        http = builder.http;
        String edge = System.getenv("TWILIO_EDGE");
        host = edge == null ? "https://chat.twilio.com" : "https://chat." + edge + ".us1.twilio.com";
    }

    void talk(String messages) throws Exception {
        for (String body : new String[] {"Hello", "Bye"})
            http.request(new HttpPost(host + messages), user, "Body=" + body);
        List<String> said = new ArrayList<>();
        for (String next = host + messages + "?PageSize=1"; next != null;) {
            String page = http.request(new HttpGet(next), user, null);
            said.addAll(found(page, "body"));
            List<String> following = found(page, "next_page_url");
            next = following.isEmpty() ? null : following.get(0);
        }
        System.out.println(String.join(" ", said));
    }

    private static List<String> found(String page, String field) {
        Matcher matcher = Pattern.compile("\"" + field + "\": \"(.*?)\"").matcher(page);
        List<String> texts = new ArrayList<>();
        while (matcher.find())
            texts.add(matcher.group(1));
        return texts;
    }

    static class Builder {
        private final String user;
        private NetworkHttpClient http;

        Builder(String username, String password) {
            user = username + ":" + password;
        }

        Builder httpClient(NetworkHttpClient client) {
            http = client;
            return this;
        }

        TwilioRestClient build() {
            return new TwilioRestClient(this);
        }
    }
}
