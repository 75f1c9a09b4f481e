/*
 * The smallest guest with an answer that is known: firmware that runs from the reset vector on. It counts, writes one
 * of 256 pages for each count, and proves now and then that all of its pages belong to one moment: what the pages hold
 * must add up to the count. It prints a dot each time that they do, and an E forever once they do not.
 */
#define COUNT 0x1000
#define PAGES 0x200000
#define SERIAL 0x3f8

        .code16
base:
start:  cli
        movw %cs, %ax
        movw %ax, %ds
        lgdtl table_pointer - base
        movl %cr0, %eax
        orl $1, %eax
        movl %eax, %cr0
        ljmpl $8, $(0xf0000 + flat - base)

        .code32
flat:   movw $16, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl $0x80000, %esp

count:  movl COUNT, %eax
        imull $2654435761, %eax, %ebx
        shrl $24, %ebx
        shll $12, %ebx
        incl PAGES(%ebx)
        incl COUNT
        testl $0xffff, COUNT
        jnz count

        xorl %ebx, %ebx
        xorl %ecx, %ecx
add:    addl PAGES(%ebx), %ecx
        addl $4096, %ebx
        cmpl $(256 * 4096), %ebx
        jne add
        movb $'.', %al
        cmpl COUNT, %ecx
        je print
        movb $'E', %al
        decl COUNT              /* never adds up again */
print:  movw $SERIAL, %dx
        outb %al, %dx
        jmp count

        .balign 8
table:  .quad 0
        .quad 0x00cf9a000000ffff
        .quad 0x00cf92000000ffff
table_pointer:
        .word table_pointer - table - 1
        .long 0xf0000 + table - base

        .org 0xfff0
        .code16
        ljmp $0xf000, $(start - base)
        .org 0x10000
