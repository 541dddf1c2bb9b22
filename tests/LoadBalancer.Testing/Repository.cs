using NUnit.Framework;

namespace LoadBalancer.Testing;

/// <summary>The files the tests were built from: for tests of what is written about the code.</summary>
public static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The text of a file, its path relative to <see cref="Root"/>.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string FindRoot()
    {
        for (string? folder = TestContext.CurrentContext.TestDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "LoadBalancer.sln"))) return folder;
        throw new InvalidOperationException("the tests do not run inside the repository");
    }
}
