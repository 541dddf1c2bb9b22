namespace LoadBalancer.Core.Tls;

/// <summary>What operators are told of hand-shakes with destinations that failed.</summary>
internal static class UpstreamProblem
{
    internal const string NoTls = "it answers in plain: it does not speak TLS there";
    internal const string Closed = "it closed the connection during the hand-shake";
    internal const string Reset = "it reset the connection during the hand-shake";
    internal const string OtherProtocol = "it chose a protocol (ALPN) that was not offered";

    internal static string Certificate(string problem, string name) => $"its certificate is not accepted: {problem} (expected {Configuration.CharacterText.Quote(name)})";

    /// <summary>Whether that can be the first byte of an answer in TLS: a hand-shake's or an alert's (RFC 8446 §5.1).</summary>
    internal static bool IsTls(int firstByte) => firstByte is 21 or 22;
}
