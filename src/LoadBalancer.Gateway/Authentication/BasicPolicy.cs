using LoadBalancer.Core.Policies;
using LoadBalancer.Gateway.Authentication.Sources;
using LoadBalancer.Identity;
using LoadBalancer.Identity.Following;
using LoadBalancer.Identity.Passwords;

namespace LoadBalancer.Gateway.Authentication;

/// <summary>Verifies names and passwords. bcrypt runs on the thread pool, so that the loop goes on meanwhile.</summary>
internal sealed class BasicPolicy : AuthenticationPolicy
{
    private static readonly IReadOnlyList<CredentialPlace> Places = [CredentialPlace.Authorization("Basic")];

    private readonly PasswordVerifier _verifier;

    internal BasicPolicy(BasicConfig config, PolicyServices services) : base(config, services, "Basic charset=\"UTF-8\"", removesCredential: true)
    {
        Func<PasswordFile?> file;
        Followed<PasswordFile>? followed = null;
        if (config.Users is not null)
        {
            followed = Sources.Follow<PasswordFile>(config.Users, "the users", SourceSet.UsersBytesMax, PasswordFile.TryRead);
            file = () => followed.Current;
        }
        else
        {
            PasswordFile own = config.File(out string problem) ?? throw new InvalidOperationException($"policy {services.Name}: {problem}");
            file = () => own;
        }
        int concurrency = config.Concurrency > 0 ? config.Concurrency : Math.Max(1, Environment.ProcessorCount / 2);
        _verifier = new PasswordVerifier(file, Math.Max(1, config.Cache), config.Cache > 0 ? config.RememberFor : TimeSpan.Zero, concurrency, config.PendingMax, services.Time);
        if (followed is not null) followed.Changed += _verifier.Forget;
    }

    internal override ValueTask<VerificationResult> VerifyAsync(RequestContext context)
    {
        FailureReason reason = CredentialPlace.Find(Places, context.Fields, out ReadOnlySpan<byte> credential);
        if (reason != FailureReason.None) return new(VerificationResult.Failed(reason));
        ValueTask<VerificationResult> verifying = _verifier.VerifyAsync(credential);
        return verifying.IsCompletedSuccessfully ? new(Unrevoked(verifying.Result)) : AwaitAsync(verifying);
    }

    private async ValueTask<VerificationResult> AwaitAsync(ValueTask<VerificationResult> verifying) => Unrevoked(await verifying.ConfigureAwait(false));

    protected override void RemoveCredential(HeaderFields fields) => fields.Remove("authorization"u8);
}
