using System.Text.Json;
using LoadBalancer.Admin.Routing;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Admin.Endpoints;

/// <summary>The body of a ban: <c>{"for": "1h", "reason": "scans"}</c>; may be left out.</summary>
/// <param name="For">How long; zero for until it is ended.</param>
/// <param name="Reason">For whoever lists bans.</param>
/// <param name="Force">Whether the block may be very wide.</param>
internal sealed record BanRequest(TimeSpan For, string Reason, bool Force)
{
    internal static readonly TimeSpan ForDefault = TimeSpan.FromHours(1);

    private const int ReasonCharactersMax = 256;
    private static readonly TimeSpan ForMin = TimeSpan.FromSeconds(1), ForMax = TimeSpan.FromDays(365);
    private static readonly BanRequest Default = new(ForDefault, "", false);

    private static readonly Dictionary<string, JsonBody.FieldReader<BanRequest>> Fields = new(StringComparer.Ordinal)
    {
        ["for"] = (value, request) => value.ValueKind == JsonValueKind.String && DurationText.TryParse(value.GetString()!, out TimeSpan time)
            && (time == TimeSpan.Zero || time >= ForMin && time <= ForMax) ? request with { For = time } : null,
        ["reason"] = (value, request) => value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= ReasonCharactersMax } text && !text.Any(char.IsControl)
            ? request with { Reason = text } : null,
        ["force"] = (value, request) => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? request with { Force = value.GetBoolean() } : null,
    };

    /// <summary>Reads a body; false, with all that is wrong, when it cannot be used.</summary>
    internal static bool TryRead(ReadOnlyMemory<byte> body, out BanRequest? request, out string detail, out IReadOnlyList<FieldProblem> problems)
    {
        if (!body.IsEmpty)
            return JsonBody.TryRead(body, "{\"for\": \"1h\"}", (element, found) => JsonBody.ReadFields(element, Default, Fields, Expected, found), out request, out detail, out problems);
        (request, detail, problems) = (Default, "", []);
        return true;
    }

    private static string Expected(string field) => field switch
    {
        "for" => "a time from \"1s\" to \"365d\", such as \"1h\", or \"0\" for until it is ended",
        "reason" => $"a text of at most {ReasonCharactersMax} characters on one line",
        _ => "true or false",
    };
}
