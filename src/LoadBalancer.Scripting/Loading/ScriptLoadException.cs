namespace LoadBalancer.Scripting.Loading;

/// <summary>A script cannot be used.</summary>
public sealed class ScriptLoadException : Exception
{
    /// <inheritdoc/>
    public ScriptLoadException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
