using LoadBalancer.Acme.Renewal;
using NUnit.Framework;

namespace LoadBalancer.Acme.Tests;

[TestFixture, Parallelizable(ParallelScope.All)]
public sealed class RenewalScheduleTests
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [TestCase(90, 0, 0, 60)]
    [TestCase(90, 0, 1, 55.5)]
    [TestCase(6, 0, 0, 4)]
    [TestCase(90, 20, 0, 70)]
    [TestCase(90, 20, 1, 65.5)]
    [TestCase(6, 20, 0, 3, Description = "at most half of its life")]
    public void DueAt_Life_LeavesTimeToRepeat(double lifeDays, double beforeDays, double chance, double expectedDays) =>
        Assert.That((RenewalSchedule.DueAt(Begin, Begin.AddDays(lifeDays), TimeSpan.FromDays(beforeDays), chance) - Begin).TotalDays, Is.EqualTo(expectedDays).Within(1e-6));

    [TestCase(60, 90, 60)]
    [TestCase(-1, 90, 9)]
    [TestCase(1, 90, 9)]
    [TestCase(0, 0.01, 5 / 1440.0)]
    public void AfterSuccess_DueAlready_WaitsAllTheSame(double untilDueDays, double leftDays, double expectedDays) =>
        Assert.That(RenewalSchedule.AfterSuccess(TimeSpan.FromDays(untilDueDays), TimeSpan.FromDays(leftDays)).TotalDays, Is.EqualTo(expectedDays).Within(1e-6));

    [Test]
    public void BackOff_FailedValidations_StayWithinFiveAnHour()
    {
        double at = 0;
        int attempts = 1;
        for (int failures = 1; ; failures++)
        {
            at += RenewalSchedule.BackOff(failures, AcmeFailure.ChallengeFailed, null, null, chance: 0).TotalMinutes;
            if (at >= 60) break;
            attempts++;
        }
        Assert.That(attempts, Is.EqualTo(5));
    }

    [TestCase(1, AcmeFailure.Refused, 2)]
    [TestCase(3, AcmeFailure.Refused, 8)]
    [TestCase(100, AcmeFailure.Refused, 360)]
    [TestCase(1, AcmeFailure.NotDelivered, 60)]
    [TestCase(1, AcmeFailure.BadCertificate, 60)]
    [TestCase(1, AcmeFailure.Unreachable, 0.25)]
    [TestCase(100, AcmeFailure.Unreachable, 15)]
    public void BackOff_Failures_GrowsUpToALimit(int failures, AcmeFailure failure, double expectedMinutes)
    {
        Assert.That(RenewalSchedule.BackOff(failures, failure, null, null, chance: 0).TotalMinutes, Is.EqualTo(expectedMinutes).Within(1e-6));
        Assert.That(RenewalSchedule.BackOff(failures, failure, null, null, chance: 1).TotalMinutes, Is.EqualTo(expectedMinutes * 1.2).Within(1e-6));
    }

    [TestCase(4, 60)]
    [TestCase(0.5, 15)]
    [TestCase(-3, 15)]
    public void BackOff_LittleLifeLeft_Hurries(double leftHours, double expectedMinutes) =>
        Assert.That(RenewalSchedule.BackOff(100, AcmeFailure.Refused, null, TimeSpan.FromHours(leftHours), chance: 0).TotalMinutes, Is.EqualTo(expectedMinutes).Within(1e-6));

    [Test]
    public void BackOff_RetryAfter_IsNeverUndercut() =>
        Assert.That(RenewalSchedule.BackOff(1, AcmeFailure.RateLimited, TimeSpan.FromHours(30), TimeSpan.FromHours(1), chance: 0), Is.EqualTo(TimeSpan.FromHours(30)));
}
