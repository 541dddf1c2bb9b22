// What stands behind the gateway, in one program: an identity provider with its JWKS, a service that knows who may do what, and the users' API, version 2.
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Mime;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

string port = args is [{ } given, ..] ? given : "9000";
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
builder.Logging.SetMinimumLevel(LogLevel.Warning);
WebApplication app = builder.Build();

// The identity provider. Its key is made when it starts, as in a rotation: the gateway fetches what it does not know.
using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
string keyId = RandomNumberGenerator.GetHexString(8, lowercase: true);

app.MapGet("/jwks.json", () =>
{
    ECParameters parameters = key.ExportParameters(includePrivateParameters: false);
    var jwk = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["alg"] = "ES256", ["use"] = "sig", ["kid"] = keyId, ["x"] = Base64Url.EncodeToString(parameters.Q.X!), ["y"] = Base64Url.EncodeToString(parameters.Q.Y!) };
    return Results.Text(new JsonObject { ["keys"] = new JsonArray(jwk) }.ToJsonString(), MediaTypeNames.Application.Json);
});

app.MapGet("/token", (string sub, string? role, int? seconds) =>
{
    DateTimeOffset now = DateTimeOffset.UtcNow;
    var claims = new JsonObject
    {
        ["iss"] = "https://id.example", ["aud"] = "users", ["sub"] = sub, ["iat"] = now.ToUnixTimeSeconds(), ["exp"] = now.AddSeconds(seconds ?? 600).ToUnixTimeSeconds(),
        ["roles"] = role is null ? new JsonArray() : new JsonArray(role),
    };
    string signed = $"{Part(new JsonObject { ["alg"] = "ES256", ["typ"] = "JWT", ["kid"] = keyId })}.{Part(claims)}";
    return $"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";

    static string Part(JsonObject part) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
});

// Permissions: support may read what is anybody's; the gateway tells who it is, and what he wants to do.
app.MapGet("/check", (HttpRequest request) =>
    request.Headers["X-Roles"].ToString().Split(',').Contains("support") && request.Headers["X-Forwarded-Method"] == "GET" ? Results.NoContent() : Results.StatusCode(403));

// The users, as version 2 of the API has them.
var users = new ConcurrentDictionary<string, JsonObject>
{
    ["7"] = new() { ["id"] = "7", ["firstName"] = "Ada", ["lastName"] = "Lovelace", ["email"] = "ada@example.com", ["state"] = "ACTIVE", ["created"] = "2026-01-02T03:04:05Z" },
    ["8"] = new() { ["id"] = "8", ["firstName"] = "Alan", ["lastName"] = "Turing", ["email"] = "alan@example.com", ["state"] = "DISABLED", ["created"] = "2026-02-03T04:05:06Z" },
};

app.MapGet("/v2/users/{id}", (string id) => users.TryGetValue(id, out JsonObject? user) ? Results.Text(user.ToJsonString(), MediaTypeNames.Application.Json) : Results.NotFound());

app.MapPost("/v2/users", async (HttpRequest request, HttpResponse response) =>
{
    JsonObject user = (await JsonNode.ParseAsync(request.Body))!.AsObject();
    string id = (users.Count + 1000).ToString(CultureInfo.InvariantCulture);
    user["id"] = id;
    user["created"] = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    users[id] = user;
    response.StatusCode = StatusCodes.Status201Created;
    response.Headers.Location = $"/v2/users/{id}";
    response.ContentType = MediaTypeNames.Application.Json;
    await response.WriteAsync(user.ToJsonString());
});

await app.StartAsync();
Console.WriteLine($"services at {app.Urls.First()}");
await app.WaitForShutdownAsync();
