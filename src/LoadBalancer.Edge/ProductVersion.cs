using System.Reflection;

namespace LoadBalancer.Edge;

/// <summary>The version of this binary.</summary>
internal static class ProductVersion
{
    /// <summary>As in "0.1.0", or "0.1.0+c67e497a" where the commit is known.</summary>
    internal static string Text
    {
        get
        {
            string version = typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
            int plus = version.IndexOf('+', StringComparison.Ordinal);
            return plus > 0 && version.Length > plus + 9 ? version[..(plus + 9)] : version;
        }
    }
}
