namespace LoadBalancer.Gateway.Authorization.Lookups;

/// <summary>Where permissions are looked up by key. Thread-safe.</summary>
public interface IPermissionSource
{
    /// <summary>Asks once. What goes wrong is in the answer, and no exception.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="token">Nobody waits any longer.</param>
    ValueTask<PermissionAnswer> AskAsync(PermissionQuestion question, CancellationToken token);
}

/// <summary>What is asked of an <see cref="IPermissionSource"/>.</summary>
/// <param name="Key">The key.</param>
/// <param name="Member">A member that the key, a set, is to have; null where it is no set.</param>
/// <param name="Values">Values, one of which the key is to have; empty for any. Not with a member.</param>
public readonly record struct PermissionQuestion(string Key, string? Member, IReadOnlyList<string> Values);

/// <summary>What an <see cref="IPermissionSource"/> answers.</summary>
/// <param name="IsPermitted">Whether it holds.</param>
/// <param name="Problem">Why there is no answer, in a few words; null where there is one.</param>
public readonly record struct PermissionAnswer(bool IsPermitted, string? Problem);
