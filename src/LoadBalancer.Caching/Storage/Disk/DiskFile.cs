namespace LoadBalancer.Caching.Storage.Disk;

/// <summary>Where an object lies on disk.</summary>
internal sealed class DiskFile(DiskFolder folder, string path, DiskHeader header)
{
    private const int ClusterBytes = 4096;

    internal string Path => path;

    internal DiskHeader Header => header;

    internal long BodyLength => header.BodyLength;

    internal long Sequence => header.Sequence;

    internal long SizeBytes => (header.FileLength + ClusterBytes - 1) & -ClusterBytes;

    /// <summary>Takes its name from it, soon and on another thread; who has it open reads on.</summary>
    internal void Delete() => folder.Delete(path);
}
