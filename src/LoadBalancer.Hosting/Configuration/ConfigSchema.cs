namespace LoadBalancer.Hosting.Configuration;

/// <summary>The JSON Schema of the configuration file.</summary>
public static class ConfigSchema
{
    /// <summary>The schema as text (draft 2020-12), made from the same tables that read the file.</summary>
    public static string Text => SchemaWriter.Write(ProxySpecs.Root);
}
