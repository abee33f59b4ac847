# Builds addresses and pages as twilio-ruby 7.11 does (base/client_base.rb, framework/rest/domain.rb and page.rb,
# http/http_client.rb), and asks with Ruby's own HTTP client.

require "json"
require "net/http"
require "uri"

module Twilio
  module HTTP
    class Client
      def request(host, port, method, url, params = {}, data = {}, headers = {}, auth = nil, timeout = nil)
        address = URI(host + ":" + port.to_s).merge(url)
        address.query = URI.encode_www_form(params) unless params.empty?
        asked = Net::HTTP.const_get(method.capitalize).new(address)
        asked.basic_auth(*auth)
        asked.set_form_data(data) unless data.empty?
        answer = Net::HTTP.start(address.host, address.port, use_ssl: address.scheme == "https") { |http| http.request(asked) }
        raise "#{answer.code} #{answer.body}" unless answer.is_a?(Net::HTTPSuccess)

        JSON.parse(answer.body)
      end
    end
  end

  module REST
    class Chat
      def initialize(client)
        @client = client
        @base_url = "https://chat.twilio.com"
        @port = 443
      end

      def absolute_url(uri)
        "#{@base_url.chomp("/")}/#{uri.chomp("/").gsub(/^\//, "")}"
      end

      def request(method, uri, params = {}, data = {})
        url = uri.match(/^http/) ? uri : absolute_url(uri)
        @client.request(@base_url, @port, method, url, params, data)
      end
    end

    class Client
      attr_reader :chat

      def initialize(username, password, account_sid = nil, region = nil, http_client = nil)
        @auth = [username, password]
        @region = region
        @edge = ENV["TWILIO_EDGE"]
        @http_client = http_client || HTTP::Client.new
        @chat = Chat.new(self)
      end

      def request(host, port, method, uri, params = {}, data = {}, headers = {}, auth = nil, timeout = nil)
        @http_client.request(host, port, method, build_uri(uri), params, data, headers, auth || @auth, timeout)
      end

      def build_uri(uri)
        return uri if @region.nil? && @edge.nil?

        parsed_url = URI(uri)
        pieces = parsed_url.host.split(".")
        parsed_url.host = [pieces[0], @edge, @region || "us1", pieces[-2, 2]].reject(&:nil?).join(".")
        parsed_url.to_s
      end
    end
  end
end

def talk(chat, messages)
  ["Hello", "Bye"].each { |body| chat.request("POST", messages, {}, { "Body" => body }) }
  said = []
  page = chat.request("GET", messages, { "PageSize" => 1 })
  loop do
    said += page["messages"].map { |one| one["body"] }
    following = page["meta"]["next_page_url"] or break
    page = chat.request("GET", chat.absolute_url(URI.parse(following).request_uri))
  end
  puts said.join(" ")
end
