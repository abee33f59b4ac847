// Builds addresses and pages as twilio-csharp 7.14 does (Http/Request.cs, Http/SystemNetHttpClient.cs).

using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;

class SystemNetHttpClient
{
    public readonly HttpClient Client;

    public SystemNetHttpClient(HttpClient httpClient)
    {
        Client = httpClient;
    }
}

class TwilioRestClient
{
    private readonly string user;
    private readonly HttpClient client;
    private readonly string edge = Environment.GetEnvironmentVariable("TWILIO_EDGE");

    public TwilioRestClient(string username, string password, SystemNetHttpClient httpClient)
    {
        user = Convert.ToBase64String(Encoding.UTF8.GetBytes(username + ":" + password));
        client = httpClient.Client;
    }

    public void Talk(string messages)
    {
        foreach (var body in new[] { "Hello", "Bye" })
            Request(HttpMethod.Post, "https://chat.twilio.com" + messages, body);
        var said = new List<string>();
        for (var next = "https://chat.twilio.com" + messages + "?PageSize=1"; next != null;)
        {
            var page = Request(HttpMethod.Get, next, null);
            said.AddRange(Found(page, "body"));
            next = Found(page, "next_page_url").FirstOrDefault();
        }
        Console.WriteLine(string.Join(" ", said));
    }

    private string Request(HttpMethod method, string url, string body)
    {
        var asked = new HttpRequestMessage(method, BuildUri(url));
        asked.Headers.Authorization = new AuthenticationHeaderValue("Basic", user);
        if (body != null)
            asked.Content = new FormUrlEncodedContent(new Dictionary<string, string> { { "Body", body } });
        var answer = client.SendAsync(asked).Result;
        answer.EnsureSuccessStatusCode();
        return answer.Content.ReadAsStringAsync().Result;
    }

    private Uri BuildUri(string url)
    {
        var built = new UriBuilder(url);
        var pieces = built.Host.Split('.');
        if (!string.IsNullOrEmpty(edge))
            built.Host = string.Join(".", new[] { pieces[0], edge, "us1" }.Concat(pieces.Skip(pieces.Length - 2)));
        return built.Uri;
    }

    private static IEnumerable<string> Found(string page, string field)
    {
        return Regex.Matches(page, "\"" + field + "\": \"(.*?)\"").Cast<Match>().Select(one => one.Groups[1].Value);
    }
}

static class TwilioClient
{
    public static TwilioRestClient Rest;

    public static void SetRestClient(TwilioRestClient client)
    {
        Rest = client;
    }
}
