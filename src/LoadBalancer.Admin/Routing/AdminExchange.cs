using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LoadBalancer.Core.Serving;

namespace LoadBalancer.Admin.Routing;

/// <summary>One request to the admin listener, what its path named, and ways to answer it.</summary>
internal sealed class AdminExchange(ServedRequest request, ServedResponse response)
{
    // For people with curl: readable, and quotes as quotes (the content type says that it is no HTML).
    private static readonly JsonWriterOptions WriterOptions = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private string[] _values = [];
    private string? _who;

    internal ServedRequest Request => request;

    /// <summary>For streams; else one of the methods below answers.</summary>
    internal ServedResponse Response => response;

    /// <summary>Who asks, as it stands in the log and in events: user and process of a Unix socket, else the address that has the token.</summary>
    internal string Who => _who ??= request.PeerUserId >= 0 ? PeerName.Describe(request.PeerUserId, request.PeerProcessId) : request.Peer.Family == System.Net.Sockets.AddressFamily.Unix ? "unix" : $"token from {request.Peer}";

    /// <summary>A parameter of the query; null where there is none.</summary>
    internal string? Query(string name) => QueryText.Find(request.Query, name);

    /// <summary>What an argument's exception says; "… (Parameter 'url')" is for programmers.</summary>
    internal static string WithoutParameter(ArgumentException e) => e.ParamName is { } name ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : e.Message;

    /// <summary>The parts of the path in braces, percent-decoded, in their order.</summary>
    internal string Value(int index) => _values[index];

    internal void SetValues(string[] values) => _values = values;

    internal Task Json<T>(int status, T value, JsonTypeInfo<T> type, string contentType = "application/json")
    {
        response.Status = status;
        response.AddField("Content-Type", contentType);
        response.AddField("X-Content-Type-Options", "nosniff");
        using (var json = new Utf8JsonWriter(response.Body, WriterOptions)) JsonSerializer.Serialize(json, value, type);
        response.Body.GetSpan(1)[0] = (byte)'\n'; // for a terminal
        response.Body.Advance(1);
        return Task.CompletedTask;
    }

    internal Task Empty(int status)
    {
        response.Status = status;
        return Task.CompletedTask;
    }

    /// <summary>A refusal (RFC 9457): what is wrong and what to do instead; for a body, field by field.</summary>
    internal Task Refuse(int status, string detail, IReadOnlyList<FieldProblem>? problems = null) => Json(
        status, new Problem(Problem.TitleOf(status), status, detail, problems is { Count: > 0 } ? problems : null), AdminJson.Default.Problem, "application/problem+json");
}
