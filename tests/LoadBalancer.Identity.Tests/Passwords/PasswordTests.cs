using System.Text;
using LoadBalancer.Identity.Passwords;
using Microsoft.Extensions.Time.Testing;

namespace LoadBalancer.Identity.Tests.Passwords;

[TestFixture, Parallelizable(ParallelScope.All), FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class PasswordTests
{
    private const string Line = "alice:";
    private static readonly string Hash = BCrypt.Net.BCrypt.HashPassword("wonderland", 5);
    private readonly FakeTimeProvider _time = new();

    private static PasswordFile Read(string text) => PasswordFile.TryRead(Encoding.UTF8.GetBytes(text), out PasswordFile? file, out string problem) ? file : throw new FormatException(problem);

    private static byte[] Credential(string text) => Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));

    private PasswordVerifier Create(Func<PasswordFile?> file, int pendingMax = 64) => new(file, 64, TimeSpan.FromMinutes(1), 1, pendingMax, _time);

    [Test, CancelAfter(10_000)]
    public async Task Verify_RightPassword_IsTheUserAndIsRemembered()
    {
        PasswordFile? file = Read(Line + Hash);
        using PasswordVerifier verifier = Create(() => file);
        VerificationResult result = await verifier.VerifyAsync(Credential("alice:wonderland"));
        Assert.That(result.Principal?.Subject, Is.EqualTo("alice"));
        ValueTask<VerificationResult> again = verifier.VerifyAsync(Credential("alice:wonderland"));
        Assert.That(again.IsCompletedSuccessfully && again.Result.IsVerified, Is.True);
        _time.Advance(TimeSpan.FromMinutes(1));
        ValueTask<VerificationResult> later = verifier.VerifyAsync(Credential("alice:wonderland"));
        Assert.That((await later).IsVerified, Is.True);
        verifier.Forget();
        file = null;
        Assert.That((await verifier.VerifyAsync(Credential("alice:wonderland"))).Reason, Is.EqualTo(FailureReason.KeysUnavailable));
    }

    [TestCase("alice:Wonderland", FailureReason.WrongPassword)]
    [TestCase("alice:", FailureReason.WrongPassword)]
    [TestCase("alice:wonderland ", FailureReason.WrongPassword)]
    [TestCase("Alice:wonderland", FailureReason.UnknownUser)]
    [TestCase("bob:wonderland", FailureReason.UnknownUser)]
    [TestCase("alice", FailureReason.CredentialMalformed)]
    [TestCase(":wonderland", FailureReason.CredentialMalformed)]
    [TestCase("", FailureReason.CredentialMalformed)]
    [TestCase("alice:wonderland\0x", FailureReason.CredentialMalformed)]
    [TestCase("alice:wonder\nland", FailureReason.CredentialMalformed)]
    public async Task Verify_AnythingElse_Refused(string credential, FailureReason expected)
    {
        PasswordFile file = Read(Line + Hash);
        using PasswordVerifier verifier = Create(() => file);
        Assert.That((await verifier.VerifyAsync(Credential(credential))).Reason, Is.EqualTo(expected));
    }

    [Test]
    public async Task Verify_LongerThanBcryptReads_Refused()
    {
        string password = new('p', 72);
        PasswordFile file = Read(Line + BCrypt.Net.BCrypt.HashPassword(password, 5));
        using PasswordVerifier verifier = Create(() => file);
        Assert.That((await verifier.VerifyAsync(Credential("alice:" + password))).IsVerified, Is.True);
        Assert.That((await verifier.VerifyAsync(Credential("alice:" + password + "q"))).Reason, Is.EqualTo(FailureReason.WrongPassword));
        Assert.That((await verifier.VerifyAsync(Credential(new string('a', 2000)))).Reason, Is.EqualTo(FailureReason.CredentialTooLarge));
    }

    [TestCase("!!!!")]
    [TestCase("YWxpY2U6d29uZGVybGFuZA")]
    [TestCase("YWxpY2U6 d29uZGVybGFuZA==")]
    [TestCase("YWxpY2U6d29uZGVybGFuZA== ")]
    [TestCase("YWxpY2U6d29uZGVybGFuZA==YQ==")]
    [TestCase("gICAgDo=")]
    public async Task Verify_NoBase64OrNoUtf8_Refused(string base64)
    {
        PasswordFile file = Read(Line + Hash);
        using PasswordVerifier verifier = Create(() => file);
        Assert.That((await verifier.VerifyAsync(Encoding.ASCII.GetBytes(base64))).Reason, Is.EqualTo(FailureReason.CredentialMalformed));
    }

    [Test, CancelAfter(20_000)]
    public async Task Verify_MoreThanMayWait_RefusesTheRestAndVerifiesTheSameOnce()
    {
        PasswordFile file = Read(Line + BCrypt.Net.BCrypt.HashPassword("wonderland", 10));
        using PasswordVerifier verifier = Create(() => file, pendingMax: 2);
        Task<VerificationResult> first = verifier.VerifyAsync(Credential("alice:wonderland")).AsTask(), same = verifier.VerifyAsync(Credential("alice:wonderland")).AsTask();
        Task<VerificationResult> second = verifier.VerifyAsync(Credential("alice:x")).AsTask();
        VerificationResult third = await verifier.VerifyAsync(Credential("alice:y"));
        Assert.That(third.Reason, Is.EqualTo(FailureReason.TooBusy));
        Assert.That(same, Is.SameAs(first));
        Assert.That((await first).IsVerified, Is.True);
        Assert.That((await second).Reason, Is.EqualTo(FailureReason.WrongPassword));
    }

    [TestCase("a:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=", "SHA-1")]
    [TestCase("a:$apr1$xyz$0123456789012345678901", "MD5")]
    [TestCase("a:$1$xyz$0123456789012345678901", "MD5")]
    [TestCase("a:rqXexS6ZhobKA", "crypt is guessed")]
    [TestCase("a:$6$salt$x", "SHA-crypt")]
    [TestCase("a:plain", "no bcrypt hash")]
    [TestCase("a", "USER:HASH")]
    [TestCase("a:$2y$04$abcdefghijklmnopqrstuuu1eCMVVkXG5pRgGPRmKMMf7sZFWGm3O", "its cost")]
    [TestCase("a:$2y$15$abcdefghijklmnopqrstuuu1eCMVVkXG5pRgGPRmKMMf7sZFWGm3O", "its cost")]
    [TestCase("a:$2y$05$abcdefghijklmnopqrstu uu1eCMVVkXG5pRgGPRmKMMf7sZFWGm3", "no bcrypt hash")]
    public void TryRead_WeakOrWrongHash_RefusedByName(string text, string expected)
    {
        Assert.That(PasswordFile.TryRead(Encoding.UTF8.GetBytes(text), out _, out string problem), Is.False);
        Assert.That(problem, Does.Contain(expected));
    }

    [Test]
    public async Task TryRead_FileOfHtpasswd_IsRead()
    {
        var start = new System.Diagnostics.ProcessStartInfo("htpasswd", "-nbB -C 5 bob secret") { RedirectStandardOutput = true };
        string text;
        try
        {
            using var process = System.Diagnostics.Process.Start(start)!;
            text = await process.StandardOutput.ReadToEndAsync();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("there is no htpasswd here");
            return;
        }
        PasswordFile file = Read(text);
        using PasswordVerifier verifier = Create(() => file);
        Assert.That((await verifier.VerifyAsync(Credential("bob:secret"))).IsVerified, Is.True);
    }
}
