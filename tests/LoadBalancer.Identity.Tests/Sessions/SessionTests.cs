using System.Text;
using LoadBalancer.Identity.Sessions;
using LoadBalancer.Identity.Tests.ApiKeys;
using LoadBalancer.Identity.Tests.Tokens;
using LoadBalancer.Identity.Tokens;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Identity.Tests.Sessions;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class SessionTests
{
    private static readonly Principal Alice = new PrincipalBuilder("x", "alice").Add("jti", "s1").Add("roles", ["a", "b"]).Add("exp", 5).Build();
    private readonly FakeTimeProvider _time = TokenFixture.Time();

    private static SessionKey Key(string id, byte fill) => new(id, Enumerable.Repeat(fill, 32).ToArray());

    private SessionCodec Create(params SessionKey[] keys) => new(keys, null, null, _time);

    private static FailureReason Reason(SessionCodec codec, string session) => codec.Verify(Encoding.ASCII.GetBytes(session)).Reason;

    [Test]
    public void Verify_WhatWasIssued_IsItUntilItsEnd()
    {
        SessionCodec codec = Create(Key("k1", 1));
        string session = codec.Issue(Alice, TimeSpan.FromMinutes(1));
        VerificationResult result = codec.Verify(Encoding.ASCII.GetBytes(session));
        Assert.Multiple(() =>
        {
            Assert.That(result.Principal?.Subject, Is.EqualTo("alice"));
            Assert.That(result.Principal?.Has("roles", "b"), Is.True);
            Assert.That(result.Principal?.ExpiresAtSeconds, Is.EqualTo(TokenFixture.Now + 60));
        });
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.That(Reason(codec, session), Is.EqualTo(FailureReason.None));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(Reason(codec, session), Is.EqualTo(FailureReason.Expired));
    }

    [Test]
    public void Verify_KeysRotated_OldOnesAreGoodUntilTheKeyIsGone()
    {
        string session = Create(Key("k1", 1)).Issue(Alice, TimeSpan.FromHours(1));
        Assert.Multiple(() =>
        {
            Assert.That(Reason(Create(Key("k2", 2), Key("k1", 1)), session), Is.EqualTo(FailureReason.None));
            Assert.That(Create(Key("k2", 2), Key("k1", 1)).Issue(Alice, TimeSpan.FromHours(1)), Does.StartWith("v1.k2."));
            Assert.That(Reason(Create(Key("k2", 2)), session), Is.EqualTo(FailureReason.UnknownKey));
            Assert.That(Reason(Create(Key("k1", 2)), session), Is.EqualTo(FailureReason.BadSignature));
            Assert.That(Reason(Create(Key("k2", 1)), session.Replace("k1", "k2")), Is.EqualTo(FailureReason.BadSignature));
        });
    }

    [Test]
    public void Verify_TamperedOrTruncatedAtEveryByte_Refused()
    {
        var codec = new SessionCodec([Key("k1", 1)], new VerifiedCache(16), null, _time);
        byte[] session = Encoding.ASCII.GetBytes(codec.Issue(Alice, TimeSpan.FromHours(1)));
        Assert.That(codec.Verify(session).IsVerified && codec.Verify(session).IsVerified, Is.True);
        for (int i = 0; i < session.Length; i++)
        {
            byte before = session[i];
            foreach (byte other in (byte[])[(byte)(before ^ 1), (byte)'.', (byte)'A', 0x80])
            {
                if (other == before) continue;
                session[i] = other;
                Assert.That(codec.Verify(session).IsVerified, Is.False, () => $"at {i}");
            }
            session[i] = before;
            Assert.That(codec.Verify(session.AsSpan(0, i)).IsVerified, Is.False);
        }
    }

    [TestCase("", FailureReason.CredentialMalformed)]
    [TestCase("v1", FailureReason.CredentialMalformed)]
    [TestCase("v1...", FailureReason.UnknownKey)]
    [TestCase("v1.k1..", FailureReason.BadSignature)]
    [TestCase("v2.k1.e30.AAAA", FailureReason.CredentialMalformed)]
    [TestCase("v1.k1.e30.AAAA.x", FailureReason.CredentialMalformed)]
    [TestCase(".v1.k1.e30", FailureReason.CredentialMalformed)]
    public void Verify_OtherForms_Refused(string session, FailureReason expected) => Assert.That(Reason(Create(Key("k1", 1)), session), Is.EqualTo(expected));

    [Test]
    public void Verify_Revoked_Refused()
    {
        string session = Create(Key("k1", 1)).Issue(Alice, TimeSpan.FromHours(1));
        Assert.That(Reason(new SessionCodec([Key("k1", 1)], null, new FixedRevocations("jti s1"), _time), session), Is.EqualTo(FailureReason.Revoked));
    }

    [Test]
    public void Issue_MoreThanACookieHolds_Throws() =>
        Assert.That(() => Create(Key("k1", 1)).Issue(new PrincipalBuilder("x", new string('a', 4000)).Build(), TimeSpan.FromHours(1)), Throws.ArgumentException);

    [Test]
    public void Problem_WeakKey_IsSaid()
    {
        Assert.That(new SessionKey("k", new byte[31]).Problem, Does.Contain("at least 32"));
        Assert.That(new SessionKey("a.b", new byte[32]).Problem, Does.Contain("id"));
        Assert.That(() => Create(), Throws.ArgumentException);
    }
}
