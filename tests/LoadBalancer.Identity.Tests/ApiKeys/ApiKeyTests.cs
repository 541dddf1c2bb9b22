using System.Text;
using LoadBalancer.Identity.ApiKeys;
using LoadBalancer.Identity.Revocation;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Identity.Tests.ApiKeys;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class ApiKeyTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));

    private static ApiKeyTable Read(string text) => ApiKeyTable.TryRead(Encoding.UTF8.GetBytes(text), out ApiKeyTable? table, out string problem) ? table : throw new FormatException(problem);

    [Test]
    public void Verify_KeyOfTheFile_IsItsOwner()
    {
        (string key, string line) = Identity.ApiKeys.ApiKeys.Create("ci:1");
        ApiKeyTable table = Read($"# keys\n{line}\towner=alice roles=reader,writer team=core\n\n");
        VerificationResult result = new ApiKeyVerifier(() => table, null, _time).Verify(Encoding.ASCII.GetBytes(key));
        Assert.Multiple(() =>
        {
            Assert.That(line, Does.Not.Contain(key[5..]));
            Assert.That(key, Does.Match("^lb_[A-Za-z0-9_-]{43}$"));
            Assert.That(result.Principal?.Subject, Is.EqualTo("alice"));
            Assert.That(result.Principal?.KeyId, Is.EqualTo("ci:1"));
            Assert.That(result.Principal?.Has("roles", "writer"), Is.True);
            Assert.That(Encoding.UTF8.GetString(result.Principal!.Json.Span), Is.EqualTo("""{"sub":"alice","key_id":"ci:1","owner":"alice","roles":["reader","writer"],"team":"core"}"""));
        });
    }

    [Test]
    public void Verify_OtherKeys_Unknown()
    {
        (string key, string line) = Identity.ApiKeys.ApiKeys.Create("a");
        var verifier = new ApiKeyVerifier(() => Read(line), null, _time);
        foreach (string other in (string[])[key[..^1], key + "A", key.ToUpperInvariant(), " " + key, line, line[2..], "x"])
            Assert.That(verifier.Verify(Encoding.ASCII.GetBytes(other)).Reason, Is.EqualTo(FailureReason.UnknownApiKey));
        Assert.That(verifier.Verify(default).Reason, Is.EqualTo(FailureReason.CredentialMalformed));
        Assert.That(verifier.Verify(new byte[513]).Reason, Is.EqualTo(FailureReason.CredentialTooLarge));
        Assert.That(new ApiKeyVerifier(() => null, null, _time).Verify(Encoding.ASCII.GetBytes(key)).Reason, Is.EqualTo(FailureReason.KeysUnavailable));
    }

    [Test]
    public void Verify_ExpiredOrRevoked_Refused()
    {
        (string key, string line) = Identity.ApiKeys.ApiKeys.Create("a");
        byte[] bytes = Encoding.ASCII.GetBytes(key);
        ApiKeyTable table = Read(line + " expires=2026-06-01T00:00:01Z");
        var verifier = new ApiKeyVerifier(() => table, null, _time);
        Assert.That(verifier.Verify(bytes).IsVerified, Is.True);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(verifier.Verify(bytes).Reason, Is.EqualTo(FailureReason.Expired));
        ApiKeyTable forever = Read(line);
        Assert.That(new ApiKeyVerifier(() => forever, new FixedRevocations("key a"), _time).Verify(bytes).Reason, Is.EqualTo(FailureReason.Revoked));
        Assert.That(new ApiKeyVerifier(() => forever, new FixedRevocations("kid a"), _time).Verify(bytes).IsVerified, Is.True);
        Assert.That(new ApiKeyVerifier(() => forever, new FixedRevocations(null), _time).Verify(bytes).Reason, Is.EqualTo(FailureReason.RevocationUnavailable));
    }

    [TestCase("a", "there is no \"ID:HASH\"")]
    [TestCase("a:0123", "64 hexadecimal digits")]
    [TestCase(":e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "its id is empty")]
    [TestCase("a:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 x", "NAME=VALUE")]
    [TestCase("a:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 x=1 x=2", "given twice")]
    [TestCase("a:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 expires=soon", "no date")]
    [TestCase("a:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\na:f3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "line 2: the id \"a\" is given twice")]
    [TestCase("a:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nb:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "the hash of \"b\" is given twice")]
    public void TryRead_WrongLine_Refused(string text, string expected)
    {
        Assert.That(ApiKeyTable.TryRead(Encoding.UTF8.GetBytes(text), out _, out string problem), Is.False);
        Assert.That(problem, Does.Contain(expected));
    }

    [Test]
    public void Verify_GoodKey_AllocatesNothing()
    {
        (string key, string line) = Identity.ApiKeys.ApiKeys.Create("a");
        ApiKeyTable table = Read(line);
        var verifier = new ApiKeyVerifier(() => table, null, TimeProvider.System);
        byte[] bytes = Encoding.ASCII.GetBytes(key);
        for (int i = 0; i < 100; i++) verifier.Verify(bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) verifier.Verify(bytes);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}

internal sealed class FixedRevocations(string? text) : IRevocations
{
    public event Action? Changed { add { } remove { } }

    public RevocationList? Current { get; } = text is null ? null : RevocationList.TryRead(Encoding.UTF8.GetBytes(text), out RevocationList? list, out string problem) ? list : throw new FormatException(problem);
}
