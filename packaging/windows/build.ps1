<#
Make the Windows packages: an installer and a zip of the program's folder.

    powershell -ExecutionPolicy Bypass -File packaging\windows\build.ps1 [-Ref COMMIT] [-Version X]

Needs: Windows 10 or newer on x86-64, Python 3.11 or newer, git, Visual Studio's Build Tools
with C++ and CMake, NSIS 3.08 or newer (makensis in the PATH), and the starter models
(python scripts\starter_models.py).

Signing happens where SIGN_COMMAND is set: a command that signs the file named after it, for
instance
    signtool sign /fd SHA256 /tr http://timestamp.digicert.com /td SHA256 /sha1 THUMBPRINT
Without it the packages are unsigned, and Windows warns whoever starts the installer.
#>
param(
    [string]$Ref = 'HEAD',
    [string]$Version = '',
    [string]$Out = 'build\packages'
)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest
$root = (Resolve-Path (Join-Path $PSScriptRoot '..\..')).Path
Set-Location $root

function Invoke-Checked {
    # Windows PowerShell goes on after a program that failed; this stops.
    param([string]$Program, [string[]]$Arguments)
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program ended with $LASTEXITCODE" }
}

function Add-Signature {
    param([string[]]$Paths)
    if (-not $env:SIGN_COMMAND) { return }
    foreach ($path in $Paths) {
        Invoke-Checked 'cmd.exe' @('/d', '/c', "$($env:SIGN_COMMAND) `"$path`"")
        if ((Get-AuthenticodeSignature $path).Status -ne 'Valid') { throw "$path is not signed" }
    }
}

$freeze = @('packaging\elsewhere.py', '--ref', $Ref)
if ($Version) { $freeze += @('--version', $Version) }
Invoke-Checked 'python' $freeze
$program = Join-Path $root 'build\elsewhere\dist\commonplace'
$told = & (Join-Path $program 'commonplace.exe') --version
if ($LASTEXITCODE -ne 0) { throw 'The frozen program does not start.' }
$told
if (-not $Version) { $Version = ($told | Select-Object -First 1).Split(' ')[1] }

# Only what is ours: the libraries of others bear their makers' signatures, or none.
Add-Signature @((Join-Path $program 'commonplace.exe'), (Join-Path $program 'commonplace-window.exe'))

New-Item -ItemType Directory -Force -Path $Out | Out-Null
$Out = (Resolve-Path $Out).Path
$setup = Join-Path $Out "commonplace-$Version-windows-x86_64.exe"
$define = @("-DVERSION=$Version", "-DPROGRAM=$program", "-DOUT=$setup", '-V2')
if ($env:SIGN_COMMAND) { $define += "-DSIGN=$($env:SIGN_COMMAND) `"%1`"" }
Invoke-Checked 'makensis' ($define + (Join-Path $PSScriptRoot 'commonplace.nsi'))

$zip = Join-Path $Out "commonplace-$Version-windows-x86_64.zip"
Compress-Archive -Path $program -DestinationPath $zip -Force
Get-ChildItem $Out -File | Where-Object Name -NE 'SHA256SUMS' | Sort-Object Name | ForEach-Object {
    "$((Get-FileHash $_.FullName -Algorithm SHA256).Hash.ToLower())  $($_.Name)"
} | Set-Content -Encoding ascii (Join-Path $Out 'SHA256SUMS')
Get-Content (Join-Path $Out 'SHA256SUMS')
