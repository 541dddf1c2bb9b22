namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>Another process has the folder of a cache: it may be free another time, as no other fault is by waiting.</summary>
public sealed class FolderInUseException : IOException
{
    internal FolderInUseException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
