namespace LoadBalancer.Hosting.Configuration;

/// <summary>Where the text of a configuration comes from, and when there is another. Used by one task.</summary>
public interface IConfigTextSource : IDisposable
{
    /// <summary>What stands before problems in place of a file name.</summary>
    string Name { get; }

    /// <summary>The text as it is now.</summary>
    /// <exception cref="IOException">It cannot be had; the message is the operator's.</exception>
    Task<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends when <see cref="ReadAsync"/> would give another text than it did last. Waits on, with back-off, while the source is away: what was read last is what holds then.
    /// </summary>
    /// <param name="problem">Is told, once for each change, what is wrong with the source, and null when it is well again. Null for nobody.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    Task WaitForChangeAsync(Action<string?>? problem = null, CancellationToken cancellationToken = default);
}
