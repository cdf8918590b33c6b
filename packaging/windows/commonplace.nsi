; The installer for Windows 10 (1809) and newer, 64 bit. It needs no administrator.
;   makensis -DVERSION=0.1.0 -DPROGRAM=build\elsewhere\dist\commonplace -DOUT=dist\x.exe commonplace.nsi
; PROGRAM is the folder that packaging/elsewhere.py made. With -DSIGN="signtool sign ... %1"
; the installer and the uninstaller are signed by that command; the programs in the folder
; have been signed before (build.ps1).
;
; Each version has a folder of its own below the program's, so two can stand side by side;
; the menu starts the one that was installed last. Nothing of the user's is ever touched:
; settings, notes, conversations and models lie in %LOCALAPPDATA%\commonplace and in projects.

Unicode true
!ifndef VERSION
  !error "Give -DVERSION=, the version."
!endif
!ifndef PROGRAM
  !error "Give -DPROGRAM=, the folder of the program."
!endif
!ifndef OUT
  !define OUT "commonplace-${VERSION}-windows-x86_64.exe"
!endif
!ifdef SIGN
  !finalize '${SIGN}' = 0
  !uninstfinalize '${SIGN}' = 0
!endif

!include MUI2.nsh
!include LogicLib.nsh
!include x64.nsh
!include WinVer.nsh
!include FileFunc.nsh

!define NAME "Commonplace"
!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}-${VERSION}"
!define CHOSEN "Software\${NAME}"

Name "${NAME} ${VERSION}"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\${NAME}"
InstallDirRegKey HKCU "${CHOSEN}" "Folder"
RequestExecutionLevel user
SetCompressor /SOLID lzma
SetCompressorDictSize 64
CRCCheck force
AllowSkipFiles off
ManifestDPIAware true
BrandingText "${NAME} ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey ProductName "${NAME}"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${VERSION}"
VIAddVersionKey FileDescription "Installer of ${NAME}"
VIAddVersionKey LegalCopyright "MIT licence; parts under others, see the folder licences"

!define MUI_ABORTWARNING
!insertmacro MUI_PAGE_LICENSE "${PROGRAM}\licences\LICENSE"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\${VERSION}\commonplace-window.exe"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"

; Ends with a clear text; in a silent install with an exit status and nothing on screen.
!macro Refuse text
  MessageBox MB_OK|MB_ICONSTOP "${text}$\n$\nNothing was installed." /SD IDOK
  SetErrorLevel 1
  Abort
!macroend

Function .onInit
  ${IfNot} ${RunningX64}
    !insertmacro Refuse "Commonplace needs a 64-bit Windows."
  ${EndIf}
  ${IfNot} ${AtLeastWin10}
    !insertmacro Refuse "Commonplace needs Windows 10 (version 1809) or newer."
  ${EndIf}
  ReadRegStr $0 HKLM "SOFTWARE\Microsoft\Windows NT\CurrentVersion" "CurrentBuildNumber"
  ${If} $0 < 17763
    !insertmacro Refuse "Commonplace needs Windows 10 version 1809 or newer; this is build $0."
  ${EndIf}
FunctionEnd

Section "-program"
  SetShellVarContext current
  ; What is written goes into a folder beside the last one, and gets its name at the end:
  ; an installation that is stopped, or that the disk is too small for, leaves the old one.
  StrCpy $1 "$INSTDIR\${VERSION}.incoming"
  RMDir /r "$1"
  ClearErrors
  CreateDirectory "$1"
  ${If} ${Errors}
    !insertmacro Refuse "You may not write to $INSTDIR. Choose another folder."
  ${EndIf}
  SetOutPath "$1"
  File /r "${PROGRAM}\*.*"
  ${If} ${Errors}
    SetOutPath "$TEMP"
    RMDir /r "$1"
    !insertmacro Refuse "The files could not all be written: the disk is full, or its folder is read-only."
  ${EndIf}
  WriteUninstaller "$1\uninstall.exe"
  SetOutPath "$TEMP"

  ; The program that is to be replaced may run: then its folder cannot be renamed.
  RMDir /r "$INSTDIR\${VERSION}.old"
  ${If} ${FileExists} "$INSTDIR\${VERSION}\*.*"
    ClearErrors
    Rename "$INSTDIR\${VERSION}" "$INSTDIR\${VERSION}.old"
    ${If} ${Errors}
      RMDir /r "$1"
      !insertmacro Refuse "Commonplace ${VERSION} is running. Close it, then install again."
    ${EndIf}
  ${EndIf}
  ClearErrors
  Rename "$1" "$INSTDIR\${VERSION}"
  ${If} ${Errors}
    Rename "$INSTDIR\${VERSION}.old" "$INSTDIR\${VERSION}"
    RMDir /r "$1"
    !insertmacro Refuse "The folder $INSTDIR\${VERSION} could not be given its name. A virus scanner may hold it; try again."
  ${EndIf}
  RMDir /r "$INSTDIR\${VERSION}.old"

  CreateShortCut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\${VERSION}\commonplace-window.exe" "window"
  WriteRegStr HKCU "${CHOSEN}" "Folder" "$INSTDIR"
  WriteRegStr HKCU "${CHOSEN}" "Version" "${VERSION}"
  WriteRegStr HKCU "${KEY}" "DisplayName" "${NAME} ${VERSION}"
  WriteRegStr HKCU "${KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${KEY}" "Publisher" "The Commonplace authors"
  WriteRegStr HKCU "${KEY}" "DisplayIcon" "$INSTDIR\${VERSION}\commonplace-window.exe"
  WriteRegStr HKCU "${KEY}" "InstallLocation" "$INSTDIR\${VERSION}"
  WriteRegStr HKCU "${KEY}" "UninstallString" '"$INSTDIR\${VERSION}\uninstall.exe"'
  WriteRegStr HKCU "${KEY}" "QuietUninstallString" '"$INSTDIR\${VERSION}\uninstall.exe" /S'
  WriteRegDWORD HKCU "${KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR\${VERSION}" "/S=0K" $0 $2 $3
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD HKCU "${KEY}" "EstimatedSize" "$0"
SectionEnd

; Takes away this version's program, menu entry and registry keys, and nothing else.
Section "Uninstall"
  SetShellVarContext current
  ClearErrors
  Rename "$INSTDIR" "$INSTDIR.old"
  ${If} ${Errors}
    MessageBox MB_OK|MB_ICONSTOP "Commonplace ${VERSION} is running. Close it, then remove it again.$\n$\nNothing was removed." /SD IDOK
    SetErrorLevel 1
    Abort
  ${EndIf}
  RMDir /r "$INSTDIR.old"
  ReadRegStr $0 HKCU "${CHOSEN}" "Version"
  ${If} $0 == "${VERSION}"
    Delete "$SMPROGRAMS\${NAME}.lnk"
    DeleteRegKey HKCU "${CHOSEN}"
  ${EndIf}
  DeleteRegKey HKCU "${KEY}"
  GetFullPathName $1 "$INSTDIR\.."
  RMDir "$1"
SectionEnd
