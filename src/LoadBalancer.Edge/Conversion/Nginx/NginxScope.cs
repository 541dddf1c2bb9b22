namespace LoadBalancer.Edge.Conversion.Nginx;

/// <summary>A block and those around it. As in nginx, a directive of an inner block hides all those of the same name further out.</summary>
internal sealed class NginxScope(IReadOnlyList<NginxDirective> block, NginxScope? outer)
{
    internal IReadOnlyList<NginxDirective> Block => block;

    /// <summary>The directives of a name that hold here. They count as used from now on.</summary>
    internal IReadOnlyList<NginxDirective> All(string name) => All(directive => directive.Name == name);

    /// <summary>The rules about addresses that hold here, in their order: either kind hides both kinds further out.</summary>
    internal IReadOnlyList<NginxDirective> Rules() => All(directive => directive.Name is "allow" or "deny");

    private NginxDirective[] All(Func<NginxDirective, bool> isMeant)
    {
        for (NginxScope? scope = this; scope is not null; scope = scope.Outer)
        {
            NginxDirective[] own = [.. scope.Block.Where(isMeant)];
            if (own.Length == 0) continue;
            foreach (NginxDirective directive in own) directive.IsUsed = true;
            return own;
        }
        return [];
    }

    /// <summary>The one that holds here, or null.</summary>
    internal NginxDirective? Find(string name) => All(name) is [.., var last] ? last : null;

    /// <summary>The directives of a name in this block alone.</summary>
    internal IReadOnlyList<NginxDirective> Own(string name) => block.Any(directive => directive.Name == name) ? All(name) : [];

    private NginxScope? Outer => outer;
}
