namespace LoadBalancer.Core.Upstream;

/// <summary>Looks up the names of destinations. Called from any thread, never twice at once for one destination.</summary>
public interface INameResolver
{
    /// <summary>The addresses of a name. An answer without any is no exception: see <see cref="NameAnswer.Problem"/>.</summary>
    /// <param name="name">A host name without a port.</param>
    /// <param name="cancellationToken">Ends the look-up.</param>
    Task<NameAnswer> ResolveAsync(string name, CancellationToken cancellationToken = default);
}
