namespace LoadBalancer.Balancing.Tests;

/// <summary>
/// Weighted turns beside those that nginx and HAProxy were seen to take (Golden/pick-sequences.csv, recorded by the script beside it). We take nginx's order;
/// HAProxy's is another one, in both of its algorithms, of which only the shares are ours.
/// </summary>
public class PeerSequenceTests
{
    private static IEnumerable<TestCaseData> Recorded(string program) => File.ReadLines(Path.Combine(TestContext.CurrentContext.TestDirectory, "Golden", "pick-sequences.csv"))
        .Select(line => line.Split(','))
        .Where(parts => parts[0].StartsWith(program, StringComparison.Ordinal))
        .Select(parts => new TestCaseData(parts[1].Split(' ').Select(int.Parse).ToArray(), parts[2]).SetArgDisplayNames(parts[0], parts[1]));

    [TestCaseSource(nameof(Recorded), ["nginx"])]
    public void Pick_Weights_TakesTurnsInTheOrderOfNginx(int[] weights, string recorded) => Assert.That(Picks(weights, recorded.Length), Is.EqualTo(recorded));

    [TestCaseSource(nameof(Recorded), ["haproxy"])]
    public void Pick_Weights_SharesAsHAProxyAndAtLeastAsEvenly(int[] weights, string recorded)
    {
        string own = Picks(weights, recorded.Length);
        int cycle = weights.Sum();
        for (int at = 0; at < recorded.Length; at += cycle) Assert.That(own[at..(at + cycle)].Order(), Is.EqualTo(recorded[at..(at + cycle)].Order()));
        Assert.That(FarthestFromShares(weights, own), Is.LessThanOrEqualTo(FarthestFromShares(weights, recorded)));
    }

    private static string Picks(int[] weights, int count)
    {
        Scheduler scheduler = Make.Scheduler(new RoundRobinPolicy(firstTurn: 0), weights);
        return string.Concat(Enumerable.Range(0, count).Select(_ => (char)('a' + scheduler.PickAndComplete())));
    }

    // The most that any server is above or below its share after any number of picks.
    private static double FarthestFromShares(int[] weights, string picks)
    {
        double farthest = 0, sum = weights.Sum();
        int[] counts = new int[weights.Length];
        for (int n = 1; n <= picks.Length; n++)
        {
            counts[picks[n - 1] - 'a']++;
            for (int i = 0; i < weights.Length; i++) farthest = Math.Max(farthest, Math.Abs(counts[i] - n * weights[i] / sum));
        }
        return Math.Round(farthest, 9);
    }
}
