using System.Text;
using LoadBalancer.Identity.Following;
using LoadBalancer.Identity.Keys;
using LoadBalancer.Identity.Revocation;
using LoadBalancer.Identity.Tests.Following;
using LoadBalancer.Identity.Tests.Tokens;
using LoadBalancer.Identity.Tokens;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static LoadBalancer.Identity.Tests.TestKeys;

namespace LoadBalancer.Identity.Tests.Keys;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FollowedKeysTests : IDisposable
{
    private readonly FakeTimeProvider _time = TokenFixture.Time();
    private readonly FakeSource _source = new();
    private FollowedKeys _keys = null!;
    private TokenVerifier _verifier = null!;
    private VerifiedCache _cache = null!;

    [SetUp]
    public void SetUp()
    {
        var followed = new Followed<KeySet>("keys", _source.FetchAsync, new JwksReader(SignatureAlgorithms.None, false).TryRead, new FollowOptions { Interval = TimeSpan.FromHours(10), AgeMax = TimeSpan.FromHours(1) }, _time, NullLogger.Instance);
        _keys = new FollowedKeys(followed, TimeSpan.FromSeconds(2), _time);
        _cache = new VerifiedCache(64);
        _verifier = new TokenVerifier([new TokenIssuer { Name = TokenFixture.Issuer, Audiences = ["api"], Keys = _keys }], _cache, null, _time);
    }

    public void Dispose()
    {
        _verifier.Dispose();
        _keys.Dispose();
    }

    private ValueTask<VerificationResult> Verify(string token) => _verifier.VerifyAsync(Encoding.ASCII.GetBytes(token));

    [Test, CancelAfter(10_000)]
    public async Task Verify_UnknownKid_FetchesOnceAndThenNotForAWhile()
    {
        _source.Answer(Jwks(Jwk("old", Rsa)));
        await _keys.Start();
        Assert.That((await Verify(Token("RS256", TokenFixture.Good, "old"))).IsVerified, Is.True);
        _source.Answer(Jwks(Jwk("new", OtherRsa)));
        string token = Raw("""{"alg":"RS256","kid":"new"}""", TokenFixture.Good, "RS256", OtherRsa);
        Assert.That((await Verify(token)).IsVerified, Is.True);
        Assert.That(_source.Count, Is.EqualTo(2));
        // The old key has been rotated out: neither it nor what was verified by it is good any more, and nobody is asked.
        ValueTask<VerificationResult> old = Verify(Token("RS256", TokenFixture.Good, "old"));
        Assert.That(old.IsCompleted, Is.True);
        Assert.That((await old).Reason, Is.EqualTo(FailureReason.UnknownKey));
        for (int i = 0; i < 100; i++) Assert.That((await Verify(Token("RS256", TokenFixture.Good, $"k{i}"))).Reason, Is.EqualTo(FailureReason.UnknownKey));
        Assert.That(_source.Count, Is.EqualTo(2));
    }

    [Test, CancelAfter(10_000)]
    public async Task Verify_KidThatAFetchHasNotBrought_IsRememberedForAWhile()
    {
        _source.Answer(Jwks(Jwk("k", Rsa)));
        await _keys.Start();
        string token = Token("RS256", TokenFixture.Good, "madeup");
        Assert.That((await Verify(token)).Reason, Is.EqualTo(FailureReason.UnknownKey));
        Assert.That(_source.Count, Is.EqualTo(2));
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.That((await Verify(token)).Reason, Is.EqualTo(FailureReason.UnknownKey));
        Assert.That(_source.Count, Is.EqualTo(2));
        _time.Advance(TimeSpan.FromMinutes(2));
        _ = await Verify(token);
        Assert.That(_source.Count, Is.EqualTo(3));
    }

    [Test, CancelAfter(10_000)]
    public async Task Verify_SlowEndpoint_HoldsNobodyWhoseKeyIsKnown()
    {
        _source.Answer(Jwks(Jwk("k", Rsa)));
        await _keys.Start();
        _source.Hold();
        ValueTask<VerificationResult> unknown = Verify(Token("RS256", TokenFixture.Good, "new"));
        Assert.That(unknown.IsCompleted, Is.False);
        ValueTask<VerificationResult> known = Verify(Token("RS256", TokenFixture.Good));
        Assert.That(known.IsCompletedSuccessfully, Is.True);
        Assert.That((await known).IsVerified, Is.True);
        // Others that wait for it are so many and no more.
        List<ValueTask<VerificationResult>> waiting = [.. Enumerable.Range(0, 400).Select(i => Verify(Token("RS256", TokenFixture.Good, $"n{i}")))];
        Assert.That(waiting.Count(task => !task.IsCompleted), Is.EqualTo(255));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.That((await unknown).Reason, Is.EqualTo(FailureReason.UnknownKey));
        foreach (ValueTask<VerificationResult> task in waiting) Assert.That((await task).Reason, Is.EqualTo(FailureReason.UnknownKey));
        Assert.That(_source.Count, Is.EqualTo(2));
    }

    [Test, CancelAfter(10_000)]
    public async Task Verify_KeysNeverHad_UnavailableUntilTheyAre()
    {
        _source.Fail(new InvalidOperationException("down"));
        await _keys.Start();
        string token = Token("RS256", TokenFixture.Good);
        Assert.That((await Verify(token)).Reason, Is.EqualTo(FailureReason.KeysUnavailable));
        _source.Answer(Jwks(Jwk("k", Rsa)));
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.That((await Verify(token)).IsVerified, Is.True);
    }

    [Test, CancelAfter(10_000)]
    public async Task Verify_KeysTooOld_Unavailable()
    {
        _source.Answer(Jwks(Jwk("k", Rsa)));
        await _keys.Start();
        _source.Fail(new InvalidOperationException("down"));
        _time.Advance(TimeSpan.FromHours(1.1));
        string token = Token("RS256", TokenFixture.Good.Replace("1800000600", "1800036000"));
        Assert.That((await Verify(token)).Reason, Is.EqualTo(FailureReason.KeysUnavailable));
    }

    [Test, CancelAfter(10_000)]
    public async Task Verify_RevokedMeanwhile_RefusedThoughItWasRemembered()
    {
        var list = new FakeSource();
        list.Answer("# none\n");
        using var revocations = new FollowedRevocations(new Followed<RevocationList>("list", list.FetchAsync, RevocationList.TryRead, new FollowOptions(), _time, NullLogger.Instance));
        using var verifier = new TokenVerifier([new TokenIssuer { Name = TokenFixture.Issuer, Keys = new FixedKeys(Set(SignatureAlgorithms.None, Jwk("k", Rsa))) }], new VerifiedCache(8), revocations, _time);
        byte[] token = Encoding.ASCII.GetBytes(Token("RS256", TokenFixture.Good));
        Assert.That(verifier.Verify(token).Reason, Is.EqualTo(FailureReason.RevocationUnavailable));
        await revocations.Start();
        Assert.That(verifier.Verify(token).IsVerified, Is.True);
        Assert.That(verifier.Verify(token).IsVerified, Is.True);
        list.Answer("sub alice");
        _time.Advance(TimeSpan.FromMinutes(6));
        await list.Fetched(2);
        await revocations.Start();
        Assert.That(verifier.Verify(token).Reason, Is.EqualTo(FailureReason.Revoked));
    }
}
