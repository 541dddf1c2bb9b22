using LoadBalancer.Core.Policies;
using LoadBalancer.Identity;
using LoadBalancer.Identity.Signatures;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies signed requests, and their bodies by the digest that is signed.</summary>
internal sealed class SignaturePolicy : AuthenticationPolicy
{
    private readonly SignatureVerifier _verifier;
    private readonly SignatureConfig _config;

    internal SignaturePolicy(SignatureConfig config, PolicyServices services) : base(config, services, "Signature", removesCredential: false)
    {
        _config = config;
        var options = new SignatureOptions { Components = config.Components, RequiresDigest = config.RequireDigest, AgeMax = config.MaxAge, ClockSkew = config.ClockSkew, NoncesMax = config.NoncesMax };
        _verifier = new SignatureVerifier(config.Secrets(), options, Revocations, services.Time);
    }

    internal override ValueTask<VerificationResult> VerifyAsync(RequestContext context)
    {
        // RFC 9421 §4: dictionaries, whose lines are one; a second line is not a second credential.
        VerificationResult result = _verifier.Verify(new Message(context, _config.UriScheme), out string? digest);
        return result.IsVerified && digest is not null ? CompareAsync(context, result, digest) : new(result);
    }

    private async ValueTask<VerificationResult> CompareAsync(RequestContext context, VerificationResult result, string digest)
    {
        ReadOnlyMemory<byte> body = default;
        if (context.HasBody)
        {
            ReadOnlyMemory<byte>? read = await context.ReadBodyAsync(_config.BodyBytesMax).ConfigureAwait(false);
            // Null: the request is refused already.
            if (read is null) return VerificationResult.Failed(FailureReason.DigestDiffers);
            body = read.Value;
        }
        return ContentDigest.Matches(digest, body.Span) ? result : VerificationResult.Failed(FailureReason.DigestDiffers);
    }

    protected override void RemoveCredential(HeaderFields fields)
    {
        fields.Remove("signature"u8);
        fields.Remove("signature-input"u8);
    }

    private sealed class Message(RequestContext context, string? uriScheme) : ISignedRequest
    {
        public string Method => context.Method;

        public string UriScheme => uriScheme ?? (context.IsEncrypted ? "https" : "http");

        public string Authority => context.Host;

        public string Path => context.PathText;

        public string Query => context.QueryText;

        public bool HasBody => context.HasBody;

        public string? Field(string name) => context.Fields.Get(name);
    }
}
