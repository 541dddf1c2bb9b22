using LoadBalancer.Core.Tls;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests;

/// <summary>When the end of a certificate is near.</summary>
[TestFixture]
public sealed class CertificateValidityTests
{
    [TestCase(90, 90, CertificateState.Valid)]
    [TestCase(90, 14, CertificateState.Valid)]
    [TestCase(90, 13.99, CertificateState.ExpiresSoon)]
    [TestCase(90, 3, CertificateState.ExpiresSoon)]
    [TestCase(90, 2.99, CertificateState.ExpiresVerySoon)]
    [TestCase(90, 0.001, CertificateState.ExpiresVerySoon)]
    [TestCase(90, 0, CertificateState.Expired)]
    [TestCase(90, -1, CertificateState.Expired)]
    [TestCase(90, 90.01, CertificateState.NotYetValid)]
    [TestCase(6, 6, CertificateState.Valid, Description = "a short life has short warnings")]
    [TestCase(6, 2.01, CertificateState.Valid)]
    [TestCase(6, 1.99, CertificateState.ExpiresSoon)]
    [TestCase(6, 0.61, CertificateState.ExpiresSoon)]
    [TestCase(6, 0.59, CertificateState.ExpiresVerySoon)]
    [TestCase(1, 0.5, CertificateState.Valid)]
    public void StateAt_DaysOfLifeAndLeft_IsTheState(double life, double left, CertificateState expected)
    {
        DateTimeOffset now = DateTimeOffset.UnixEpoch, expiresAt = now.AddDays(left);
        Assert.That(CertificateValidity.StateAt(now, expiresAt.AddDays(-life), expiresAt), Is.EqualTo(expected));
    }

    [TestCase(13.5, "13 days")]
    [TestCase(1.5, "36 hours")]
    [TestCase(0.05, "72 minutes")]
    public void Describe_TimeLeft_IsAsAPersonSaysIt(double days, string expected) => Assert.That(CertificateValidity.Describe(TimeSpan.FromDays(days)), Is.EqualTo(expected));
}
