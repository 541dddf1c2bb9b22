using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using LoadBalancer.Testing;

namespace LoadBalancer.Discovery.Tests;

/// <summary>An API that answers as a test says, by whole answers or by lines that come one after the other.</summary>
internal sealed class ApiOrigin : IAsyncDisposable
{
    private readonly ScriptedOrigin _origin;

    internal ApiOrigin(Func<ApiCall, Task> answer) => _origin = new ScriptedOrigin((connection, number, token) => ServeAsync(connection, number, answer, token));

    internal ApiOrigin(X509Certificate2 certificate, Func<ApiCall, Task> answer, Action<SslServerAuthenticationOptions>? configure = null) =>
        _origin = ScriptedOrigin.OverTls(certificate, (connection, number, token) => ServeAsync(connection, number, answer, token), configure);

    internal string Address => _origin.Address;

    internal int Port => _origin.Port;

    private static async Task ServeAsync(RawClient connection, int number, Func<ApiCall, Task> answer, CancellationToken token)
    {
        while (true)
        {
            string head = await connection.ReadUntilAsync("\r\n\r\n", token);
            string[] lines = head.Split("\r\n"), first = lines[0].Split(' ');
            Dictionary<string, string> fields = lines.Skip(1).Where(line => line.Contains(':', StringComparison.Ordinal))
                .ToDictionary(line => line[..line.IndexOf(':', StringComparison.Ordinal)], line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim(), StringComparer.OrdinalIgnoreCase);
            string body = fields.TryGetValue("Content-Length", out string? length) && length != "0" ? await connection.ReadAsync(int.Parse(length, CultureInfo.InvariantCulture), token) : "";
            await answer(new ApiCall(connection, number, first[0], first[1], fields, body, token));
        }
    }

    public ValueTask DisposeAsync() => _origin.DisposeAsync();
}

/// <summary>One request, to be answered.</summary>
internal sealed record ApiCall(RawClient Connection, int Number, string Method, string Path, IReadOnlyDictionary<string, string> Fields, string Body, CancellationToken Token)
{
    internal Task AnswerAsync(string json, int status = 200) =>
        Connection.SendAsync($"HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}", Token);

    internal Task BeginAsync() => Connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", Token);

    internal Task LineAsync(string json) => ChunkAsync(json + "\n");

    internal Task ChunkAsync(string text) => Connection.SendAsync($"{text.Length:x}\r\n{text}\r\n", Token);

    internal Task EndAsync() => Connection.SendAsync("0\r\n\r\n", Token);
}
