using System.Text;
using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Tokens;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Identity.Tests.Tokens;

/// <summary>A verifier at a known time, with two issuers.</summary>
internal static class TokenFixture
{
    internal const long Now = 1_800_000_000;

    internal const string Issuer = "https://issuer.example";

    internal const string Good = """{"iss":"https://issuer.example","aud":"api","sub":"alice","exp":1800000600,"iat":1800000000,"nbf":1800000000}""";

    internal static FakeTimeProvider Time() => new(DateTimeOffset.FromUnixTimeSeconds(Now));

    internal static TokenIssuer Options(params string[] jwks) => Options(SignatureAlgorithms.None, jwks);

    internal static TokenIssuer Options(SignatureAlgorithms algorithms, params string[] jwks) => new() { Name = Issuer, Audiences = ["api", "other"], Keys = new FixedKeys(TestKeys.Set(algorithms, jwks)) };

    internal static TokenVerifier Verifier(params TokenIssuer[] issuers) => new(issuers, null, null, Time());

    internal static FailureReason Reason(this TokenVerifier verifier, string token) => verifier.Verify(token).Reason;

    internal static VerificationResult Verify(this TokenVerifier verifier, string token) => verifier.Verify(Encoding.UTF8.GetBytes(token));

    internal static VerificationResult Verify(this TokenVerifier verifier, ReadOnlySpan<byte> token)
    {
        ValueTask<VerificationResult> task = verifier.VerifyAsync(token);
        return task.IsCompletedSuccessfully ? task.Result : throw new InvalidOperationException("it waits for keys");
    }
}
