using LoadBalancer.Core.Policies;

namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>What a look-up has said of a request. Immutable; may be used for many.</summary>
internal sealed class Decision
{
    /// <summary>What is answered where it refuses; null where it permits.</summary>
    internal PolicyAnswer? Refusal { get; init; }

    /// <summary>Fields that the forwarded request gets.</summary>
    internal (byte[] Name, byte[] Value)[] Fields { get; init; } = [];

    /// <summary>How long others may use it; zero for this request alone.</summary>
    internal TimeSpan Lifetime { get; init; }

    /// <summary>Roughly what it takes in memory.</summary>
    internal int Bytes => 200 + (Refusal?.Body.Length ?? 0) + FieldBytes(Refusal) + Fields.Sum(one => 64 + one.Name.Length + one.Value.Length);

    private static int FieldBytes(PolicyAnswer? answer)
    {
        int sum = 0;
        for (int i = 0; i < answer?.Fields.Count; i++) sum += 32 + answer.Fields.NameAt(i).Length + answer.Fields.ValueAt(i).Length;
        return sum;
    }
}

/// <summary>What became of one look-up: a decision, or why there is none.</summary>
internal readonly record struct LookupOutcome(Decision? Decision, string? Problem)
{
    /// <summary>Who has asked has gone; others should ask for themselves.</summary>
    internal bool IsGivenUp { get; init; }
}
