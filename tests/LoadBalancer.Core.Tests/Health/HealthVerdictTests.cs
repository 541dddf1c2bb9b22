using LoadBalancer.Core.Health;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests.Health;

public sealed class HealthVerdictTests
{
    // Results: + and -; verdicts after each: H and u.
    [TestCase(3, 2, true, "++", "HH")]
    [TestCase(3, 2, true, "-", "u")]
    [TestCase(3, 2, false, "+", "H")]
    [TestCase(3, 2, false, "-++", "uuH")]
    [TestCase(3, 2, true, "+---", "HHHu")]
    [TestCase(3, 2, true, "+--+--+", "HHHHHHH")]
    [TestCase(3, 2, true, "+---++", "HHHuuH")]
    [TestCase(3, 2, true, "+---+-+-+", "HHHuuuuuu")]
    [TestCase(1, 1, true, "+-+-", "HuHu")]
    public void Add_Results_GivesTheVerdict(int fall, int rise, bool isAssumedHealthy, string results, string expected)
    {
        var verdict = new HealthVerdict(fall, rise, isAssumedHealthy);
        string verdicts = "";
        foreach (char result in results)
        {
            bool before = verdict.IsHealthy;
            Assert.That(verdict.Add(result == '+'), Is.EqualTo(before != verdict.IsHealthy), "tells of changes and of nothing else");
            verdicts += verdict.IsHealthy ? 'H' : 'u';
        }
        Assert.That(verdicts, Is.EqualTo(expected));
    }
}
