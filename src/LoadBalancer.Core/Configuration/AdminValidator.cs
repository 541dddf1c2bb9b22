using System.Buffers;
using System.Net;

namespace LoadBalancer.Core.Configuration;

/// <summary>Checks <see cref="AdminConfig"/>. Says nothing of what a token is, only of what it lacks.</summary>
internal static class AdminValidator
{
    private const int TokenLengthMin = 16; // 96 bits as base64: not to be guessed
    private const int TokenLengthMax = 256;

    // RFC 6750 §2.1
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    internal static void Validate(ProxyConfig config, ProblemList problems)
    {
        if (config.Admin is not { } admin) return;
        if (admin.Address is { } address and not AdminConfig.Off)
        {
            if (!AddressParser.TryParseListener(address, out EndPoint? endPoint, out string? error))
                problems.Add("admin.address", $"{CharacterText.Quote(address)} {error}, or \"off\"");
            else if (endPoint is IPEndPoint && admin.Token is null)
                problems.Add("admin.address", $"{CharacterText.Quote(address)} is TCP, which anybody on this machine can reach: add a \"token\", or use a Unix socket such as \"unix:/run/lb/admin.sock\"");
        }
        if (admin.Token is not { } token) return;
        if (token.Length is < TokenLengthMin or > TokenLengthMax)
            problems.Add("admin.token", $"has {token.Length} characters; expected {TokenLengthMin} to {TokenLengthMax}, as \"openssl rand -hex 24\" makes them");
        else if (token.AsSpan().ContainsAnyExcept(TokenCharacters))
            problems.Add("admin.token", "has a character that a bearer token cannot have; expected letters, digits and \"-._~+/=\"");
    }
}
