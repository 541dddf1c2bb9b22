using Acornima.Ast;
using Jint;
using Jint.Runtime.Interop;
using Jint.Runtime.Modules;
using LoadBalancer.Scripting.Realms;
using Module = Jint.Runtime.Modules.Module;

namespace LoadBalancer.Scripting.Loading;

/// <summary>Gives an engine the modules of its program, and no others: nothing is read from disk while a script runs.</summary>
internal sealed class ProgramLoader(ScriptProgram program) : IModuleLoader
{
    public ResolvedSpecifier Resolve(string? referencingModuleLocation, ModuleRequest moduleRequest)
    {
        string specifier = moduleRequest.Specifier;
        string name = specifier == ScriptProgram.SealModule ? specifier
            : ScriptFolder.Resolve(referencingModuleLocation ?? program.EntryName, specifier, out string error) ?? throw new ScriptLoadException(error);
        return new ResolvedSpecifier(moduleRequest, name, null, SpecifierType.RelativeOrAbsolute);
    }

    public Module LoadModule(Engine engine, ResolvedSpecifier resolved)
    {
        if (resolved.Key == ScriptProgram.SealModule) // its default export
            return ModuleFactory.BuildJsonModule(engine, new ClrFunction(engine, "seal", static (_, arguments) => RealmFreeze.Seal(arguments)), resolved.Key);
        return program.TryGet(resolved.Key, out Prepared<Acornima.Ast.Module> module)
            ? ModuleFactory.BuildSourceTextModule(engine, module)
            : throw new ScriptLoadException($"there is no module {resolved.Key}");
    }
}
