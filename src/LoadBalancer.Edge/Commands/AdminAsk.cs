using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using LoadBalancer.Admin;
using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Edge.Commands;

/// <summary>What commands share that ask a running balancer by its admin listener.</summary>
internal static class AdminAsk
{
    internal const string TokenVariable = "LB_ADMIN_TOKEN";

    internal static readonly Option<string?> Admin = new("--admin") { Description = "Address of the admin listener [default: where lb run puts it]", HelpName = "unix:/path|host:port", Recursive = true };
    internal static readonly Option<bool> Json = new("--json") { Description = "Print the answer as it comes", Recursive = true };

    /// <summary>Who asks the listener that the command line names; null, with the reason printed, where that is no address.</summary>
    internal static AdminClient? Client(ParseResult parsed, out string address)
    {
        address = parsed.GetValue(Admin) ?? DefaultAddress.Find();
        string? token = Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } set ? set : null;
        if (AdminClient.TryCreate(address, token, out AdminClient? client, out string? error)) return client;
        Console.Error.WriteLine($"lb: --admin: {CharacterText.Quote(address)} {error}");
        return null;
    }

    /// <summary>Asks, and prints the answer. How the command ends is, for an answer that is no refusal, what <paramref name="verdict"/> says of it; <paramref name="isDone"/> tells by the status which are none.</summary>
    internal static async Task<int> SendAsync(
        ParseResult parsed, string method, string path, string? body, Action<byte[]> print, CancellationToken cancellationToken, Func<byte[], int>? verdict = null, Func<int, bool>? isDone = null)
    {
        if (Client(parsed, out string address) is not { } client) return ExitCode.Usage;
        try
        {
            (int status, byte[] answer) = await client.SendAsync(method, path, body, cancellationToken);
            bool isAnswer = isDone?.Invoke(status) ?? status is >= 200 and < 300;
            if (parsed.GetValue(Json)) Console.Out.Write(System.Text.Encoding.UTF8.GetString(answer));
            else if (isAnswer) print(answer);
            else Console.Error.WriteLine($"lb: {JsonSerializer.Deserialize(answer, AdminJson.Default.Problem)?.Detail}");
            return !isAnswer ? ExitCode.Problem : verdict?.Invoke(answer) ?? ExitCode.Ok;
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException)
        {
            Console.Error.WriteLine($"lb: no answer from the admin listener at {address}: {Reason(e)}");
            return ExitCode.Problem;
        }
    }

    internal static string Reason(Exception e) => e switch
    {
        JsonException => "what answers is no admin listener",
        // The second is a socket file that does not exist.
        SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.AddressNotAvailable } => "nobody listens there",
        _ => e.Message.ReplaceLineEndings(" "),
    };
}
