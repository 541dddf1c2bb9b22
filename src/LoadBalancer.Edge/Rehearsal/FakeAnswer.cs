using System.Text;

namespace LoadBalancer.Edge.Rehearsal;

/// <summary>What a destination answers in a rehearsal.</summary>
internal sealed record FakeAnswer
{
    internal int Status { get; init; } = 200;

    internal IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    internal byte[] Body { get; init; } = [];

    /// <summary>Where nothing else is said.</summary>
    internal static FakeAnswer Default { get; } = new() { Headers = [new("Content-Type", "text/plain; charset=utf-8")], Body = Encoding.ASCII.GetBytes("ok\n") };
}

/// <summary>What a destination was asked in a rehearsal.</summary>
/// <param name="Cluster">Whose destination it is.</param>
/// <param name="Method">Method.</param>
/// <param name="Target">Path and query.</param>
/// <param name="Headers">Field lines.</param>
/// <param name="Body">Content.</param>
internal sealed record FakeRequest(string Cluster, string Method, string Target, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body);
