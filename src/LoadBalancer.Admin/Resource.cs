namespace LoadBalancer.Admin;

/// <summary>Files that are part of this library.</summary>
internal static class Resource
{
    internal static byte[] Read(string name)
    {
        using Stream stream = typeof(Resource).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"the file {name} is missing in the assembly");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
